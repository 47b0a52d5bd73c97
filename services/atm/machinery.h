// Machinery: what every state machine of an ATM works with.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "async/loop.h"
#include "async/random.h"
#include "async/scope.h"
#include "atm/bank_link.h"
#include "atm/journal.h"
#include "atm/settings.h"
#include "ops/calendar.h"
#include "ops/log.h"

namespace atm {

// Made by the Atm, which owns all of it or was given it. Loop thread only.
struct Machinery {
  async::Loop& loop;
  async::Random& random;
  const BootClock& boot_clock;
  const DiskRoom& disk;
  ops::Calendar calendar;
  ops::Log log;
  const Settings& settings;
  Journal& journal;
  BankLink& bank;
  // What goes on without a customer: open items on their way to the bank (rule 17).
  async::TaskScope& queue;

  OperationId make_id() {
    std::array<std::uint8_t, 10> chance{};
    random.fill(std::as_writable_bytes(std::span(chance)));
    return OperationId::make(ledger::Instant(loop.wall_now().time_since_epoch()), chance);
  }
  std::int64_t now_us() const { return loop.wall_now().time_since_epoch().count(); }
  ops::DayNumber today() const { return calendar.day_of(loop.wall_now()); }
  // When to stop asking others, so that the customer hears an answer in time.
  async::Deadline before(async::Deadline deadline) const {
    if (deadline.is_never()) return deadline;
    const async::Duration left = deadline.left(loop.now());
    return async::Deadline::at(deadline.when() - std::min(settings.answer_reserve, left / 4));
  }
};

inline constexpr std::string_view disk_nearly_full =
    "The ATM's disk is nearly full, so nothing new is begun.";

}  // namespace atm
