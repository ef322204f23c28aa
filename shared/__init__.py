"""What two or more processes of ctmux need: contracts, codec, directories, sockets, files."""
