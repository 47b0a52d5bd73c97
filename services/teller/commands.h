// One command of a customer, from the card to the printed answer.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "cli/caller.h"
#include "ledger/money.h"
#include "teller/customer.h"

namespace teller {

// What a command was asked to do. Amounts are in the currency that the session turns out to have.
struct Wish {
  enum class What : std::uint8_t { balance, withdraw, deposit, transfer, statement, change_pin };

  What what = What::balance;
  std::string amount = {};              // Of withdraw and transfer: "60".
  std::vector<std::string> notes = {};  // Of deposit: "2x50", "1x20".
  std::string target_account = {};      // Of transfer.
  std::uint32_t entries = 10;           // Of statement.
  std::string currency = {};  // What amounts must be in; empty: whatever the session's is.

  bool is_change() const { return what != What::balance && what != What::statement; }
};

// Where PINs come from: asked for only when they are needed. `show` is told what is about to be
// done or asked, "Your withdrawal of 60.00 EUR ...".
struct Pins {
  std::function<std::string()> pin;
  std::function<std::string()> new_pin;
  std::function<void(const std::string&)> show = {};
  bool asks_somebody = false;  // Nobody is asked before an ATM has answered.
};

// A wish's money, once its currency is known.
struct Sums {
  bank::v1::Money amount = {};             // Of all three that move money.
  std::vector<atm::v1::Notes> notes = {};  // Of deposit.
};

// Owned by main or a test. Loop thread only.
class CustomerCommand {
 public:
  CustomerCommand(Customer& customer, cli::Interrupts& interrupts, Pins pins, bool json,
                  std::ostream& out, std::ostream& errors)
      : customer_(customer),
        interrupts_(interrupts),
        pins_(std::move(pins)),
        json_(json),
        out_(out),
        errors_(errors) {}

  // Settles what an earlier command left, does the wish, prints, forgets what was told. Returns the
  // exit code.
  async::Task<int> run(Wish wish);

 private:
  // What is to be printed, and how the program ends.
  struct Report {
    ops::ExitCode code = ops::ExitCode::ok;
    std::string outcome;                              // "withdrawn", "declined", "unknown" ...
    const google::protobuf::Message* body = nullptr;  // What --json prints under that name.
    std::string text;                                 // For people, on `out`.
    std::string sentence;                             // Why not, on `errors`.
    std::string id;                                   // Of the change.
  };

  // Whether what an earlier command left is settled. No: nothing else may be begun. Later: the ATM
  // is silent, but a question may still be asked. Untold: it is, but that cannot be written.
  enum class Settled : std::uint8_t { yes, no, later, untold };
  async::Task<Settled> settle_earlier(PendingChange earlier, bool is_change);
  async::Task<int> settle_and_do(Wish wish);
  async::Task<int> begin_session(Wish wish);
  async::Task<int> do_question(Wish wish);
  async::Task<int> do_change(Wish wish);
  async::Task<Answered<Outcome>> send(Wish wish, Sums sums);
  Sums sums_of(const Wish& wish) const;
  int no_answer(const rpc::Status& status);
  int print(const Report& report);
  void print_json(const Report& report);
  // Whether what was printed cannot be written. Says so, and what that means, on `errors`.
  bool say_if_unwritten(const std::string& consequence);

  Customer& customer_;
  cli::Interrupts& interrupts_;
  Pins pins_;
  bool json_;
  std::ostream& out_;
  std::ostream& errors_;
  std::string pin_;
  std::string new_pin_;
  std::string earlier_json_;
  std::string earlier_words_;  // The same for people.
  std::string unsettled_;      // "withdrawal of 60.00 EUR": an earlier change still without answer.
  bool has_printed_json_ = false;
};

// The name of what is set in an outcome, "withdrawn", and its message.
std::pair<std::string, const google::protobuf::Message*> set_in(
    const google::protobuf::Message& response);

}  // namespace teller
