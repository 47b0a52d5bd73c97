// teller: the customer's command line.
#include <iostream>
#include <unistd.h>

#include "async/random.h"
#include "async/uv_loop.h"
#include "cli/amount.h"
#include "cli/caller.h"
#include "cli/terminal.h"
#include "ledger/money.h"
#include "ops/files.h"
#include "ops/log.h"
#include "ops/options.h"
#include "rpc/client.h"
#include "teller/commands.h"
#include "teller/customer.h"
#include "teller/pending.h"
#include "teller/session.h"
#include "teller/told.h"

namespace {

using teller::Wish;

constexpr const char* footer =
    "Without a command: a session at the ATM, with a menu.\n\n"
    "Exit status: 0 done, 1 the ATM or the bank said no and nothing was changed, 64 the command "
    "line\n"
    "is wrong, 69 the ATM does not answer and this changed nothing, 75 it may have been done: "
    "without\n"
    "an answer the next teller command first asks what became of it; where the ATM answers that "
    "it\n"
    "cannot tell, your bank decides, and your statement shows it. 78 the configuration is wrong.";

struct Settings {
  async::Endpoint atm = async::Endpoint::parse("127.0.0.1:7002");
  std::string terminal;
  std::string card;
  std::string pin_file;
  std::optional<std::filesystem::path> state;
  std::string new_pin_file;
  std::string currency;
  async::Duration timeout = std::chrono::seconds(30);
  async::Duration idle = std::chrono::seconds(60);
  bool json = false;

  // What the commands were given.
  std::string amount;
  std::string account;
  std::vector<std::string> notes;
  std::uint32_t entries = 10;
};

// Asks until it is a card's number; "" if the customer leaves.
std::string ask_card(const Settings& settings, cli::Terminal& terminal) {
  while (true) {
    const cli::Answer answer = terminal.ask("Card number: ", settings.idle);
    if (!answer.is_line()) return "";
    std::string card = cli::card_number(answer.text);
    const std::string why = cli::why_not_card_number(card);
    if (why.empty()) return card;
    terminal.write(why + "\n");
  }
}

std::string read_card(const Settings& settings, cli::Terminal& terminal) {
  std::string card = cli::card_number(settings.card);
  if (!card.empty()) return card;
  if (!cli::can_ask()) {
    throw ops::Failure(ops::ExitCode::usage, "Say which card: --card NUMBER, or set TELLER_CARD");
  }
  card = ask_card(settings, terminal);
  if (!card.empty()) return card;
  throw ops::Failure(ops::ExitCode::declined, "No card was given, so nothing was done");
}

// The way to the ATM.
struct Line {
  explicit Line(const Settings& settings)
      : client(loop, cli::client_options(settings.atm), random), interrupts(loop) {}

  async::UvLoop loop;
  async::SystemRandom random;
  rpc::Client client;
  cli::SignalInterrupts interrupts;
};

// A card before the ATM. The line outlives it.
struct Visit {
  Visit(Line& line, const Settings& settings, const std::string& card)
      : pending(settings.state ? *settings.state : ops::state_directory("teller"), card),
        customer(line.loop, line.client, line.random, pending,
                 {.terminal = settings.terminal, .card = card, .patience = settings.timeout}) {
    cli::require_text("--terminal", settings.terminal);
  }

  teller::PendingFiles pending;
  teller::Customer customer;
};

int run_wish(const Settings& settings, Wish wish) {
  cli::UserTerminal terminal(STDERR_FILENO);
  const std::string card = read_card(settings, terminal);
  Line line(settings);
  Visit visit(line, settings, card);
  teller::Pins pins{
      .pin = [&] { return cli::read_pin(terminal, "PIN: ", settings.pin_file); },
      .new_pin =
          [&] { return cli::read_new_pin(terminal, settings.new_pin_file, "--new-pin-file"); },
      .show = {},
      .asks_somebody = settings.pin_file.empty() && cli::can_ask()};
  if (!settings.json && ::isatty(STDERR_FILENO) != 0) {
    pins.show = [&](const std::string& what) { terminal.write(what + "\n"); };
  }
  teller::CustomerCommand command(visit.customer, line.interrupts, std::move(pins), settings.json,
                                  std::cout, std::cerr);
  return line.loop.run(command.run(std::move(wish)));
}

// Whether the ATM is there, before anybody is asked for a card. False: the customer did not
// wait for it. Throws Failure when it is not.
bool knock(Line& line, const Settings& settings) {
  rpc::Context context(line.loop.in(settings.timeout));
  async::Task<std::optional<rpc::Status>> asking =
      teller::why_no_atm(line.client, std::move(context));
  const std::optional<std::optional<rpc::Status>> why =
      line.loop.run(cli::unless_interrupted(line.interrupts, std::move(asking)));
  if (why && *why) throw teller::no_answer(**why);
  return why.has_value();
}

void require_amount_first(const Settings& settings) {
  const auto is_amount = [](const std::string& text) {
    return !ledger::why_not_major_units(text).has_value();
  };
  if (is_amount(settings.amount) || !is_amount(settings.account)) return;
  throw ops::Failure(ops::ExitCode::usage, "The amount comes first: teller transfer " +
                                               settings.account + " " + settings.amount);
}

int run_session(const Settings& settings) {
  if (!cli::can_ask()) {
    throw ops::Failure(ops::ExitCode::usage,
                       "There is nobody to talk to: standard input is no terminal. Say a command: "
                       "balance, withdraw, deposit, transfer, statement or pin");
  }
  std::string card = cli::card_number(settings.card);
  cli::UserTerminal terminal(STDOUT_FILENO);
  Line line(settings);
  const bool is_there = !card.empty() || knock(line, settings);
  if (is_there) {
    terminal.write("Welcome to Teller. This is the ATM at " + settings.atm.text() + ".\n");
    if (card.empty()) card = ask_card(settings, terminal);
  }
  if (card.empty()) {
    terminal.write("Good-bye.\n");
    teller::require_told(terminal, ops::ExitCode::cannot_create, "Nothing was done");
    return ops::to_int(ops::ExitCode::ok);
  }
  Visit visit(line, settings, card);
  teller::SessionOptions options{
      .masked_card = ops::mask_card(card), .pin = std::nullopt, .patience = settings.idle};
  if (!settings.pin_file.empty()) options.pin = cli::read_pin(terminal, "", settings.pin_file);
  teller::Session session(line.loop, visit.customer, terminal, line.interrupts, std::move(options));
  return line.loop.run(session.run());
}

// "" when none was said.
std::string currency_of(const Settings& settings) {
  return settings.currency.empty() ? "" : cli::parse_currency(settings.currency).text();
}

std::optional<ops::Mistake> mistake_in(const Settings& settings) {
  const std::string card = cli::card_number(settings.card);
  const std::string_view fault = card.empty() ? "" : cli::fault_of_card_number(card);
  if (!fault.empty()) {
    return ops::Mistake{"card",
                        "must be a card's number, 8 to 19 digits; this one " + std::string(fault)};
  }
  return cli::mistake_in_currency(settings.currency);
}

void add_settings(ops::Command& root, Settings& settings) {
  root.check([&settings] { return mistake_in(settings); });
  root.example("teller");
  root.example("teller --card 4000000000000002 balance");
  root.example("teller --card 4000000000000002 --pin-file pin.txt withdraw 60");
  root.example("teller --card 4000000000000002 deposit 2x50 1x20 --json");
  root.example("echo 1234 | teller --card 4000000000000002 --pin-file - transfer 9.50 john");
  root.footer(footer);
  root.option("atm", settings.atm, ops::a_server(), "HOST:PORT", "Where the ATM is");
  root.option("terminal", settings.terminal, "ID", "Which of its terminals, if it has several");
  root.option("card", settings.card, "NUMBER", "Your card; asked for without it");
  root.option("pin-file", settings.pin_file, "FILE",
              "Holds your PIN; - is standard input. Asked for without it");
  root.refuse("pin",
              "A PIN on the command line can be read by every user of this machine; leave it "
              "out to be asked, or use --pin-file FILE, or --pin-file - for standard input.");
  root.flag("json", settings.json, "Prints one JSON object");
  root.option("currency", settings.currency, "CODE",
              "What amounts must be in; without it they are in what your account is in");
  root.option("state", settings.state, "DIR",
              "Where changes without an answer are remembered; else ~/.local/state/teller");
  root.option("timeout", settings.timeout, ops::a_wait(), "TIME", "How long to wait for an answer");
  const auto idle_times =
      ops::between<async::Duration>(std::chrono::seconds(1), std::chrono::hours(24));
  root.option("idle", settings.idle, idle_times, "TIME", "How long a session waits for you");
}

void add_commands(ops::Command& root, Settings& settings) {
  // What is ill-formed in every currency is said before anybody is asked.
  const auto amount = [&settings] {
    cli::require_amount(settings.amount);
    return settings.amount;
  };
  ops::Command& balance = root.command("balance", "Show your balance");
  balance.example("teller balance");
  balance.run([&settings] { return run_wish(settings, {.what = Wish::What::balance}); });

  ops::Command& withdraw = root.command("withdraw", "Take out cash");
  withdraw.example("teller withdraw 60");
  withdraw.argument("AMOUNT", settings.amount, "how much, as 60 or 60.00");
  withdraw.run([&settings, amount] {
    return run_wish(
        settings,
        {.what = Wish::What::withdraw, .amount = amount(), .currency = currency_of(settings)});
  });

  ops::Command& deposit = root.command("deposit", "Put in notes");
  deposit.example("teller deposit 2x50 1x20");
  deposit.example("teller deposit 120");
  deposit.argument("NOTES", settings.notes,
                   "the notes, as 2x50 1x20; or an amount that notes make");
  deposit.run([&settings] {
    cli::require_note_list(settings.notes);
    return run_wish(
        settings,
        {.what = Wish::What::deposit, .notes = settings.notes, .currency = currency_of(settings)});
  });

  ops::Command& transfer = root.command("transfer", "Send money to another account");
  transfer.example("teller transfer 9.50 john");
  transfer.argument("AMOUNT", settings.amount, "how much, as 9.50");
  transfer.argument("ACCOUNT", settings.account, "to whom");
  transfer.run([&settings, amount] {
    require_amount_first(settings);
    cli::require_text("ACCOUNT", settings.account);
    if (settings.account.empty()) {
      throw ops::Failure(ops::ExitCode::usage, "ACCOUNT is empty: say to whom.");
    }
    return run_wish(settings, {.what = Wish::What::transfer,
                               .amount = amount(),
                               .target_account = settings.account,
                               .currency = currency_of(settings)});
  });

  ops::Command& statement = root.command("statement", "List the last entries of your account");
  statement.example("teller statement --entries 50");
  const auto counts = ops::between<std::uint32_t>(1, 10'000);
  statement.option("entries", settings.entries, counts, "N", "How many, newest first").flag_only();
  statement.run([&settings] {
    return run_wish(settings, {.what = Wish::What::statement, .entries = settings.entries});
  });

  ops::Command& pin = root.command("pin", "Change your PIN");
  pin.example("teller pin");
  pin.footer(
      "A PIN is 4 to 12 digits, neither all the same nor a run, as 1234 or 4321. The new one must "
      "not be the old one.");
  pin.option("new-pin-file", settings.new_pin_file, "FILE",
             "Holds the new PIN; - is standard input, after the old one. Asked for without it")
      .flag_only();
  pin.run([&settings] { return run_wish(settings, {.what = Wish::What::change_pin}); });
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  ops::CommandLine line({.program = "teller",
                         .summary = "You, at an ATM",
                         .prefix = "TELLER_",
                         .config_file_default = cli::config_file("teller"),
                         .endings = cli::rpc_endings});
  add_settings(line.root(), settings);
  add_commands(line.root(), settings);
  line.root().run([&settings] { return run_session(settings); });
  return cli::run_json_program(line, argc, argv, settings.json);
}
