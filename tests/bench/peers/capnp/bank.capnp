@0xb6a1f0c35d1d7e42;

struct Money {
  minorUnits @0 :Int64;
  currency @1 :Text;
}

interface Bank {
  getBalance @0 (terminalId :Text, cardNumber :Text, token :Data)
      -> (balance :Money, available :Money, ledgerSeq :UInt64);
}
