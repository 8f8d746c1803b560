int without;
