#include "atm/offline_audit.h"

#include <map>
#include <optional>
#include <ostream>
#include <set>
#include <string>
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

template <Record T>
std::size_t count_open(JournalFile& file, Currency currency, Sentences& exceptions,
                       std::set<std::string>& terminals) {
  std::size_t open = 0;
  for (const T& record : file.read<T>()) {
    terminals.insert(record.terminal);
    if (record.is_open()) ++open;
    if (!record.exception.empty()) exceptions.push_back(exception_sentence(record, currency));
  }
  return open;
}

// Notes that are out of the books' cassettes only when a crash interrupted a dispense are found by
// the recovery of the next start, so the devices are compared when nothing is open.
Sentences compare_devices(async::ManualLoop& loop, DeviceWorld& world, const std::string& terminal,
                          const Stock& stock, Currency currency) {
  Sentences differences;
  SimulatedDispenser dispenser(loop, world, terminal);
  SimulatedAcceptor acceptor(loop, world, terminal);
  if (const Told<Dispenser::Inside> inside = loop.run(dispenser.count())) {
    Notes cassettes;
    for (const Cassette& each : inside->cassettes) cassettes.add(each.denomination, each.count);
    append(differences,
           differences_found("cassettes", stock.notes(Pot::cassette), cassettes, currency));
    append(differences,
           differences_found("reject bin", stock.notes(Pot::rejected), inside->rejected, currency));
  }
  if (const Told<Acceptor::Inside> inside = loop.run(acceptor.count())) {
    append(differences,
           differences_found("deposit bin", stock.notes(Pot::deposit_bin), inside->bin, currency));
  }
  return differences;
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

}  // namespace

int audit_offline(const std::filesystem::path& data, std::ostream& out) {
  if (!std::filesystem::exists(data / journal_file_name)) {
    throw ops::Failure(ops::ExitCode::no_input, data.string() + " holds no journal of an atmd");
  }
  JournalFile file(data, JournalFile::Use::audit);
  file.require_sound();
  Sentences differences;
  Sentences exceptions;
  std::set<std::string> terminals;
  follow_events(file, differences);
  Currency currency;
  for (const BankMemory& memory : file.read<BankMemory>()) {
    currency = Currency::parse(memory.currency).value_or(Currency());
  }
  const std::size_t open = count_open<Withdrawal>(file, currency, exceptions, terminals) +
                           count_open<Deposit>(file, currency, exceptions, terminals) +
                           count_open<Movement>(file, currency, exceptions, terminals);
  file.read<Relay>();
  file.read<Fence>();
  file.read<DayTotals>();
  file.read<TerminalRow>();
  file.read<BankHead>();
  file.read<Declined>();
  for (const StockRow& row : file.read<StockRow>()) terminals.insert(row.terminal);
  async::ManualLoop loop;
  std::optional<DeviceWorld> devices;
  if (std::filesystem::exists(data / device_file_name)) {
    devices.emplace(loop, std::make_shared<DeviceFile>(data, DeviceFile::Use::audit));
  }
  for (const std::string& terminal : terminals) {
    Stock stock(terminal);
    for (const StockRow& row : file.read<StockRow>("terminal = ?", {terminal})) stock.restore(row);
    print_terminal(out, terminal, stock, currency);
    append(differences, differences_inside(stock, currency));
    if (devices && open == 0) {
      append(differences, compare_devices(loop, *devices, terminal, stock, currency));
    }
  }
  out << "open items: " << open << "\n";
  // Their notes are accounted for: what is wrong with them is between the ATM and the bank, which has
  // them on its list until its operator has settled them.
  if (!exceptions.empty()) out << "exceptions:\n";
  print_each(out, exceptions);
  if (!differences.empty()) out << "It does not add up:\n";
  print_each(out, differences);
  if (differences.empty()) out << "Every cent is accounted for.\n";
  return ops::to_int(differences.empty() ? ops::ExitCode::ok : ops::ExitCode::bad_data);
}

}  // namespace atm
