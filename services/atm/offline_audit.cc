#include "atm/offline_audit.h"

#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "async/manual_loop.h"
#include "atm/audit.h"
#include "atm/described.h"
#include "atm/device_world.h"
#include "atm/journal_file.h"
#include "atm/simulated_acceptor.h"
#include "atm/simulated_dispenser.h"
#include "ops/failure.h"
#include "ops/foreign_text.h"

namespace atm {

namespace {

using Sentences = std::vector<std::string>;

void append(Sentences& to, const Sentences& from) { to.insert(to.end(), from.begin(), from.end()); }

// Every event names the check value of the one before it, so none was taken out or put in.
void follow_events(JournalFile& file, Sentences& differences) {
  std::uint64_t number = 0;
  std::int64_t check = 0;
  for (const Event& event : file.read<Event>()) {
    if (event.number != number + 1 || event.previous != check) {
      differences.push_back("The audit trail is broken at event " + std::to_string(event.number) +
                            ".");
      return;
    }
    number = event.number;
    check = std::get<std::int64_t>(to_row(event).values.back());
  }
}

// What the items of all terminals say.
struct ItemsRead {
  std::size_t open = 0;
  Sentences exceptions;
  std::set<std::string> terminals;
  // Terminals where an item under way may have moved notes of which the stock does not know yet.
  std::set<std::string> dispenser_moves;
  std::set<std::string> acceptor_moves;
};

void note_moves(const Withdrawal& record, ItemsRead& items) {
  if (record.may_have_moved_notes()) items.dispenser_moves.insert(record.terminal);
}
void note_moves(const Deposit& record, ItemsRead& items) {
  if (!record.kept) items.acceptor_moves.insert(record.terminal);
}
void note_moves(const Movement& record, ItemsRead& items) {
  if (record.state != MovementState::requested) return;
  items.dispenser_moves.insert(record.terminal);
  items.acceptor_moves.insert(record.terminal);
}

// Reads all items of one kind. Each that the audit trail names must be there.
template <Record T>
void read_items(JournalFile& file, Currency currency, ItemsRead& items, Sentences& differences) {
  std::set<OperationId> missing;
  for (const Event& event : file.read<Event>("kind = ?", {std::string(T::kind)})) {
    missing.insert(event.id);
  }
  for (const T& record : file.read<T>()) {
    missing.erase(record.id);
    items.terminals.insert(record.terminal);
    if (!record.exception.empty()) {
      items.exceptions.push_back(exception_sentence(record, currency));
    }
    if (!record.is_open()) continue;
    ++items.open;
    note_moves(record, items);
  }
  for (const OperationId& id : missing) {
    differences.push_back("The audit trail names the " + std::string(T::kind) + " " + id.text() +
                          ", which is not in the journal.");
  }
}

// Unknown notes may have stayed inside: as many more than expected are no difference.
void leave_out_unknown(Notes& counted, const Notes& expected, Notes& unknown) {
  for (const Notes::Entry& more : counted - expected) {
    if (more.count < 0 || more.count > unknown.of(more.denomination)) continue;
    counted.add(more.denomination, -more.count);
    unknown.add(more.denomination, -more.count);
  }
}

// What the devices of one terminal are compared with, and what came of it.
struct Comparison {
  const std::string& terminal;
  const Stock& stock;
  Currency currency;
  Sentences& differences;
  Sentences& not_compared;

  void skip(std::string_view what, std::string_view why) const {
    not_compared.push_back(terminal + ", " + std::string(what) + ": " + std::string(why));
  }
};

constexpr std::string_view under_way =
    "an item is under way; start atmd, which ends it, and then use bankctl atm count";
constexpr std::string_view no_answer =
    "the device does not answer; start atmd, end its fault, and then use bankctl atm count";

void compare_dispenser(async::ManualLoop& loop, Dispenser& dispenser, const Comparison& with) {
  const Told<Dispenser::Inside> inside = loop.run(dispenser.count());
  if (!inside) return with.skip("cassettes and reject bin", no_answer);
  Notes cassettes;
  for (const Cassette& each : inside->cassettes) cassettes.add(each.denomination, each.count);
  Notes rejected = inside->rejected;
  Notes unknown = with.stock.notes(Pot::unknown);
  const Notes in_cassettes = with.stock.notes(Pot::cassette);
  const Notes in_reject_bin = with.stock.notes(Pot::rejected);
  leave_out_unknown(cassettes, in_cassettes, unknown);
  leave_out_unknown(rejected, in_reject_bin, unknown);
  append(with.differences, differences_found("cassettes", in_cassettes, cassettes, with.currency));
  append(with.differences, differences_found("reject bin", in_reject_bin, rejected, with.currency));
}

void compare_acceptor(async::ManualLoop& loop, Acceptor& acceptor, const Comparison& with) {
  const Told<Acceptor::Inside> inside = loop.run(acceptor.count());
  if (!inside) return with.skip("deposit bin", no_answer);
  append(with.differences, differences_found("deposit bin", with.stock.notes(Pot::deposit_bin),
                                             inside->bin, with.currency));
}

// Notes that an item under way has moved are found by the recovery of the next start. One in
// suspense has moved its notes to the unknown ones.
void compare_devices(async::ManualLoop& loop, DeviceWorld& world, const ItemsRead& items,
                     const Comparison& with) {
  SimulatedDispenser dispenser(loop, world, with.terminal);
  SimulatedAcceptor acceptor(loop, world, with.terminal);
  if (items.dispenser_moves.contains(with.terminal)) {
    with.skip("cassettes and reject bin", under_way);
  } else {
    compare_dispenser(loop, dispenser, with);
  }
  if (items.acceptor_moves.contains(with.terminal)) {
    with.skip("deposit bin", under_way);
  } else {
    compare_acceptor(loop, acceptor, with);
  }
}

void print_terminal(std::ostream& out, const std::string& terminal, const Stock& stock,
                    Currency currency) {
  const Books books = books_of(stock);
  const auto line = [&](std::string_view name, Cents amount) {
    out << "  " << name << std::string(22 - name.size(), ' ')
        << ledger::to_text({.amount = amount, .currency = currency}) << "\n";
  };
  out << ops::ForeignText(terminal).shown() << "\n";
  line("loaded", books.loaded);
  line("deposited", books.deposited);
  line("in cassettes", books.in_cassettes);
  line("in deposit bin", books.in_deposit_bin);
  line("rejected", books.rejected);
  line("presented", books.presented);
  line("unknown", books.unknown);
  line("unloaded", books.unloaded);
  line("expected at the bank", stock.inside());
}

void print_each(std::ostream& out, const Sentences& sentences) {
  for (const std::string& sentence : sentences) {
    out << "  " << ops::ForeignText(sentence).shown() << "\n";
  }
}

// Their notes are accounted for: what is wrong with exceptions is between the ATM and the bank, which
// has them on its list until its operator has settled them.
int print_findings(std::ostream& out, const Sentences& exceptions, const Sentences& not_compared,
                   const Sentences& differences) {
  if (!exceptions.empty()) out << "exceptions:\n";
  print_each(out, exceptions);
  if (!not_compared.empty()) out << "not compared:\n";
  print_each(out, not_compared);
  if (!differences.empty()) out << "It does not add up:\n";
  print_each(out, differences);
  if (!differences.empty()) return ops::to_int(ops::ExitCode::bad_data);
  if (!not_compared.empty()) return ops::to_int(ops::ExitCode::unavailable);
  out << "Every cent is accounted for.\n";
  return ops::to_int(ops::ExitCode::ok);
}

void read_the_rest(JournalFile& file) {
  file.read<Relay>();
  file.read<Fence>();
  file.read<DayTotals>();
  file.read<TerminalRow>();
  file.read<BankHead>();
  file.read<Declined>();
}

}  // namespace

int audit_offline(const std::filesystem::path& data, std::ostream& out) {
  if (!std::filesystem::exists(data / journal_file_name)) {
    throw ops::Failure(ops::ExitCode::no_input, data.string() + " holds no journal of an atmd");
  }
  JournalFile file(data, JournalFile::Use::audit);
  file.require_sound();
  Sentences differences;
  Sentences not_compared;
  follow_events(file, differences);
  Currency currency;
  for (const BankMemory& memory : file.read<BankMemory>()) {
    currency = Currency::parse(memory.currency).value_or(Currency());
  }
  ItemsRead items;
  read_items<Withdrawal>(file, currency, items, differences);
  read_items<Deposit>(file, currency, items, differences);
  read_items<Movement>(file, currency, items, differences);
  read_the_rest(file);
  for (const StockRow& row : file.read<StockRow>()) items.terminals.insert(row.terminal);
  async::ManualLoop loop;
  std::optional<DeviceWorld> devices;
  if (std::filesystem::exists(data / device_file_name)) {
    auto opened = std::make_shared<DeviceFile>(data, DeviceFile::Use::audit);
    opened->require_sound();
    devices.emplace(loop, std::move(opened));
  }
  for (const std::string& terminal : items.terminals) {
    Stock stock(terminal);
    for (const StockRow& row : file.read<StockRow>("terminal = ?", {terminal})) stock.restore(row);
    print_terminal(out, terminal, stock, currency);
    append(differences, differences_inside(stock, currency));
    const Comparison with{.terminal = terminal,
                          .stock = stock,
                          .currency = currency,
                          .differences = differences,
                          .not_compared = not_compared};
    if (devices) {
      compare_devices(loop, *devices, items, with);
    } else if (!stock.is_untouched()) {
      differences.push_back("Notes have moved at " + terminal + ", but there is no " +
                            std::string(device_file_name) + " that holds them.");
    }
  }
  out << "open items: " << items.open << "\n";
  return print_findings(out, items.exceptions, not_compared, differences);
}

}  // namespace atm
