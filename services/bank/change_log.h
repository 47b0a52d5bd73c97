// The log line of a change.
#pragma once

#include "ledger/operation.h"
#include "ledger/record.h"
#include "ops/log.h"

namespace bank {

// One event: what was asked, by whom, and what was decided. Card numbers are masked; what has to do
// with a PIN is left out.
void log_change(const ops::Log& log, const ledger::Operation& operation,
                const ledger::Outcome& outcome);

}  // namespace bank
