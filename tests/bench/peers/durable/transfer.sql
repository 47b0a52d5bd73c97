\set source random(1, 9999)
\set target random(:source + 1, 10000)
WITH debit AS (UPDATE account SET balance = balance - 1 WHERE number = :source AND balance >= 1 RETURNING number), credit AS (UPDATE account SET balance = balance + 1 WHERE number = :target AND EXISTS (SELECT FROM debit)) INSERT INTO transfer SELECT gen_random_uuid(), number, :target, 1 FROM debit;
