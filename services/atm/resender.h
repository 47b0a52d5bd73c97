// Resender: tells a bank whose history went back what it has forgotten (rule 24).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "async/scope.h"
#include "atm/atm_service.h"
#include "atm/machinery.h"
#include "atm/records.h"
#include "atm/register.h"
#include "atm/withdrawals.h"

namespace atm {

// Waits until something is to be told again, then tells it with its old ids, item by item: the bank
// answers what it still knows with its first answer and does what it lost once more. What it
// refuses is an exception (rule 17). Each terminal's items are told in turn, a page of them in
// memory at a time; no terminal waits for another, nor for one that the bank does not sign on. What
// was told again is written down, so a restart goes on where this ended. A bank that is not the
// remembered one is told nothing before the operator agrees. Owned by the Atm; loop thread only.
class Resender {
 public:
  Resender(Machinery& machinery, const Terminals& terminals, Register& known,
           Withdrawals& withdrawals)
      : machinery_(machinery),
        terminals_(terminals),
        known_(known),
        withdrawals_(withdrawals),
        tellings_(machinery.loop) {}

  // Runs until it is cancelled.
  Task<> run();

  // None of the three: there was nothing to tell.
  struct Answer {
    std::uint64_t ledger_seq = 0;
    bool was_known = false;  // The bank had not lost it.
    std::string refusal = {};
  };

 private:
  // Of one terminal, whenever there is something to tell, and anew when the history breaks
  // meanwhile.
  Task<> tell_of(std::string terminal);
  template <Record T>
  Task<> tell_all(Items<T>* items, std::string terminal, std::uint32_t history);
  template <Record T>
  Task<> tell_page(Items<T>* items, std::vector<T> page, std::uint32_t history);

  // One item, whatever the bank answers to it.
  Task<Answer> tell(Withdrawal withdrawal);
  Task<Answer> tell(Deposit deposit);
  Task<Answer> tell(Movement movement);
  template <Record T>
  void note(T& record, const Answer& answer, std::uint32_t history);
  // The bank has taken what it refused before: the item ends well, or, if that is returned, goes on.
  template <Record T>
  bool take_back_exception(T& record);

  Machinery& machinery_;
  const Terminals& terminals_;
  Register& known_;
  Withdrawals& withdrawals_;
  std::uint32_t lost_ = 0;  // What the bank did once more, since it was begun to tell it again.
  async::TaskScope tellings_;
};

}  // namespace atm
