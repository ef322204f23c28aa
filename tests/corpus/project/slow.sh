echo 'ERROR: it hangs'
exec sleep 100
