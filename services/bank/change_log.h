// The log line of a change.
#pragma once

#include "ledger/operation.h"
#include "ledger/record.h"
#include "ops/log.h"

namespace bank {

// The operator's changes are few, and who made them is asked later: info. What customers and ATMs do
// all day is debug: the journal has every one of them anyway, and a line each would cost more than
// the change itself.
ops::LogLevel level_of(const ledger::Operation& operation);

// One event: what was asked, by whom, and what was decided. Card numbers are masked; what has to do
// with a PIN is left out.
void log_change(const ops::Log& log, const ledger::Operation& operation,
                const ledger::Outcome& outcome);

}  // namespace bank
