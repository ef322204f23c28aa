# A process whose command line htop shows: sh ERROR.sh FAILED
sleep 60
true
