#include "atm/journal_file.h"

#include <utility>

namespace atm {

namespace {

constexpr std::int64_t schema_version = 1;

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
  visit.template operator()<Event>();
}

std::string schema() {
  std::string schema;
  for_each_table([&]<Record T>() { schema += schema_of<T>(); });
  // What a start looks for, among years of what has ended.
  return schema +
         "CREATE INDEX open_withdrawal ON withdrawal (state) WHERE exception = '' AND state NOT IN "
         "('SETTLED', 'DECLINED', 'VOIDED');\n"
         "CREATE INDEX open_deposit ON deposit (state) WHERE exception = '' AND state NOT IN "
         "('KEPT', 'RETURNED');\n"
         "CREATE INDEX open_movement ON movement (state) WHERE exception = '' AND state IN "
         "('REQUESTED', 'MOVED');\n"
         "CREATE INDEX refused_withdrawal ON withdrawal (terminal) WHERE exception != '';\n"
         "CREATE INDEX refused_deposit ON deposit (terminal) WHERE exception != '';\n"
         "CREATE INDEX refused_movement ON movement (terminal) WHERE exception != '';\n";
}

const std::filesystem::path& with_schema(Database& database) {
  database.ensure_schema(schema_version, schema());
  return database.path();
}

std::filesystem::path made(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    throw DatabaseError(DatabaseError::Kind::cannot_open,
                        folder.string() + " cannot be made: " + error.message());
  }
  return folder / journal_file_name;
}

}  // namespace

JournalFile::JournalFile(const std::filesystem::path& folder)
    : lock_(made(folder).string() + ".lock"),
      writer_(folder / journal_file_name, Database::Mode::create),
      reader_(with_schema(writer_), Database::Mode::existing) {
  for_each_table([&]<Record T>() { upserts_.emplace(T::table, writer_.prepare(upsert_of<T>())); });
}

void JournalFile::write(std::span<const Row> rows) {
  Transaction transaction(writer_);
  for (const Row& row : rows) upserts_.at(row.table).run(row.values);
  transaction.commit();
}

JournalFile::Tail JournalFile::tail() {
  Statement statement =
      reader_.prepare("SELECT number, check_value FROM event ORDER BY number DESC LIMIT 1");
  if (!statement.step()) return {};
  return {.number = static_cast<std::uint64_t>(statement.integer(0)),
          .check = statement.integer(1)};
}

}  // namespace atm
