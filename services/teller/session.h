// A session at the ATM for a person at a terminal: card, PIN, menu, notes counted out, receipt.
#pragma once

#include <optional>
#include <string>

#include "async/task.h"
#include "cli/caller.h"
#include "cli/terminal.h"
#include "ledger/money.h"
#include "ops/failure.h"
#include "teller/customer.h"

namespace teller {

struct SessionOptions {
  std::string masked_card;                              // For the receipt.
  std::optional<std::string> pin;                       // Not asked for when it is given.
  async::Duration patience = std::chrono::seconds(60);  // With a customer who says nothing.
};

// Owned by main or a test. Loop thread only. The customer's card was read already.
class Session {
 public:
  Session(async::Loop& loop, Customer& customer, cli::Terminal& terminal,
          cli::Interrupts& interrupts, SessionOptions options)
      : loop_(loop),
        customer_(customer),
        terminal_(terminal),
        interrupts_(interrupts),
        options_(std::move(options)) {}

  // From the PIN to the card's return, which happens whatever comes between. Returns the exit
  // code: 0 unless a PIN was wrong and none was right (1), the ATM does not answer (69), or the
  // outcome of a change is unknown (75).
  //
  // What the terminal loses ends it, before anything else is begun: throws Failure with that code, or
  // instead of 0 io_error after a change that was done, else cannot_create. What became of a change
  // that could not be told stays for the next command to tell.
  async::Task<int> run();

 private:
  enum class Next : std::uint8_t { menu, end };

  async::Task<bool> settle_all();
  async::Task<bool> settle(PendingChange earlier);
  async::Task<bool> knock();
  async::Task<bool> log_in();
  async::Task<> serve();
  async::Task<Next> choose();
  async::Task<Next> show_balance();
  async::Task<Next> show_statement();
  async::Task<Next> withdraw(std::string amount);
  async::Task<Next> deposit(std::string typed);
  async::Task<Next> transfer(std::string typed);
  async::Task<Next> change_pin();
  async::Task<Next> finish(PendingChange asked, async::Task<Answered<Outcome>> change);

  // The person's line, without blanks around it; nothing when they left, which ends the session.
  std::optional<std::string> ask(std::string_view prompt);
  std::optional<std::string> ask_hidden(std::string_view prompt);
  std::optional<std::string> accept(const cli::Answer& answer);
  // Asks until it is a PIN, or "" where that goes back to the menu.
  enum class Empty : std::uint8_t { is_a_mistake, goes_back };
  std::optional<std::string> ask_pin(std::string_view prompt, Empty empty);
  std::optional<bank::v1::Money> parse_amount(const std::string& text);
  std::optional<std::string> choose_amount();
  Next show_decline(const atm::v1::Decline& decline);
  Next give_up(const rpc::Status& status);
  Next leave_untold(const Outcome& outcome, const PendingChange& asked);
  bool is_lost() const { return !terminal_.why_lost().empty(); }
  void receipt(const std::string& what, const Outcome& outcome);
  void say(const std::string& line) { terminal_.write(line + "\n"); }
  async::Loop& loop_;
  Customer& customer_;
  cli::Terminal& terminal_;
  cli::Interrupts& interrupts_;
  SessionOptions options_;
  ops::ExitCode code_ = ops::ExitCode::ok;
  bool has_changed_ = false;                       // Since the card was taken.
  std::string untold_ = "Nothing else was begun";  // What a lost terminal means.
};

// Throws Failure(code) if something that was written to the terminal was lost; its sentence ends with
// what that means.
void require_told(const cli::Terminal& terminal, ops::ExitCode code, const std::string& meaning);

}  // namespace teller
