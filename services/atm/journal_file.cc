#include "atm/journal_file.h"

#include <utility>

#include "ledger/own_log.h"

namespace atm {

namespace {

constexpr std::int32_t schema_version = 7;
constexpr std::int32_t application = 0x4154'4d4a;  // "ATMJ", an ATM's journal.

// Every table of the journal.
template <typename Visit>
void for_each_table(Visit visit) {
  visit.template operator()<Withdrawal>();
  visit.template operator()<Deposit>();
  visit.template operator()<Movement>();
  visit.template operator()<Relay>();
  visit.template operator()<Fence>();
  visit.template operator()<StockRow>();
  visit.template operator()<DayTotals>();
  visit.template operator()<TerminalRow>();
  visit.template operator()<BankMemory>();
  visit.template operator()<BankHead>();
  visit.template operator()<Declined>();
  visit.template operator()<Event>();
}

// What a start looks for, among years of what has ended, and what a bank that was restored from a
// backup may lack.
template <Record T>
std::string indexes_of() {
  const std::string table(T::table);
  return "CREATE INDEX open_" + table + " ON " + table + " (state) WHERE " + std::string(T::open) +
         ";\nCREATE INDEX refused_" + table + " ON " + table +
         " (terminal) WHERE exception != '';\n" + "CREATE INDEX told_" + table + " ON " + table +
         " (terminal, ledger_seq) WHERE ledger_seq > 0;\n";
}

std::string schema() {
  std::string schema;
  for_each_table([&]<Record T>() { schema += schema_of<T>(); });
  return schema + indexes_of<Withdrawal>() + indexes_of<Deposit>() + indexes_of<Movement>();
}

std::string journal_in(const std::filesystem::path& folder) {
  return (folder / journal_file_name).string();
}

// Card numbers are in it.
void make_folder(const std::filesystem::path& folder) {
  std::error_code error;
  const bool is_made = std::filesystem::create_directories(folder, error);
  if (is_made && !error) {
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  }
  if (!error) return;
  throw ledger::StorageError(ledger::StorageError::Kind::cannot_create,
                             folder.string() + " cannot be made: " + error.message());
}

ledger::FileLock lock_journal(const std::filesystem::path& folder, JournalFile::Use use) {
  const bool serves = use == JournalFile::Use::serve;
  if (serves) make_folder(folder);
  return ledger::FileLock(journal_in(folder),
                          serves ? ledger::FileLock::Use::write : ledger::FileLock::Use::read);
}

std::string required(std::string file) {
  ledger::require_own_log(file, application, schema_version);
  return file;
}

}  // namespace

JournalFile::Writer::Writer(const std::string& file)
    : database(required(file), ledger::Database::Access::read_write), tables(database) {
  database.open_schema(application, schema_version, schema().c_str());
}

JournalFile::JournalFile(const std::filesystem::path& folder, Use use)
    : lock_(lock_journal(folder, use)),
      writer_(use == Use::serve ? std::make_unique<Writer>(journal_in(folder)) : nullptr),
      reader_(use == Use::serve ? journal_in(folder) : required(journal_in(folder)),
              use == Use::serve ? ledger::Database::Access::read_only
                                : ledger::Database::Access::at_rest),
      reads_(reader_) {
  reader_.open_schema(application, schema_version, nullptr);
}

void JournalFile::write(std::span<const Row> rows) {
  ledger::Database& database = writer_->database;
  if (is_full_of_changes()) database.checkpoint();
  ledger::Transaction transaction(database);
  for (const Row& row : rows) writer_->tables.write(row);
  transaction.commit();
  database.require_in_place();
}

JournalFile::Tail JournalFile::tail() {
  const std::vector<Event> last = read<Event>("number = (SELECT max(number) FROM event)");
  if (last.empty()) return {};
  return {.number = last.front().number,
          .check = std::get<std::int64_t>(to_row(last.front()).values.back())};
}

void JournalFile::require_sound() {
  atm::require_sound(reader_, schema() + ledger::create_log_table);
}

}  // namespace atm
