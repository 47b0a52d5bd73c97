// The reader of the ATM's journal: what is damaged is reported, and never read as something else.
//
// The first byte chooses: a row of values with a right check value, for one of the tables; or the
// file of an ATM that has done something of everything, with some bytes changed (damage.h).
#include <map>
#include <sstream>
#include <vector>

#include "atm/offline_audit.h"
#include "atm_fixture.h"
#include "fuzz/damage.h"

namespace {

using namespace atm;

// Takes values off a fuzzer's bytes.
class Input {
 public:
  explicit Input(std::string_view bytes) : bytes_(bytes) {}

  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return first;
  }
  Value value() {
    const std::uint8_t kind = byte();
    if (kind % 3 == 0) {
      std::uint64_t number = 0;
      for (std::uint8_t i = 0; i < 8 && i <= kind / 3; ++i) number = number << 8U | byte();
      return static_cast<std::int64_t>(number);
    }
    const std::string text(bytes_.substr(0, byte()));
    bytes_.remove_prefix(text.size());
    if (kind % 3 == 1) return text;
    return Blob{text};
  }
  // A name of the program's own at times: the fuzzer need not find those letter by letter.
  template <typename Field>
  Value value_of() {
    if constexpr (Named<Field>) {
      const auto names = names_of(Field());
      const std::size_t at = byte();
      if (at < names.size()) return std::string(names[at]);
    }
    return value();
  }

 private:
  std::string_view bytes_;
};

template <Record T>
void read_row(Input& input) {
  std::vector<Value> values;
  T::fields([&]<typename Field>(std::string_view, Field T::*) {
    values.push_back(input.value_of<Field>());
  });
  values.emplace_back(check_value(T::table, values));
  try {
    const T record = from_row<T>(values);
    fuzz::require(to_row(record).values == values, "a row that is read says what it said");
  } catch (const ledger::StorageError& damage) {
    fuzz::require(std::string_view(damage.what()).contains(T::table), "the table is named");
  }
}

template <typename Visit>
constexpr void for_each_record(Visit visit) {
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
  visit.template operator()<Event>();
  visit.template operator()<Declined>();
}

constexpr std::uint8_t tables = [] {
  std::uint8_t count = 0;
  for_each_record([&]<Record T>() { ++count; });
  return count;
}();

// The rows of each table, as they stand in the file.
using Rows = std::map<std::string_view, std::vector<std::vector<Value>>>;

Rows rows_in(const std::filesystem::path& folder) {
  JournalFile file(folder);
  Rows rows;
  for_each_record([&]<Record T>() {
    for (const T& record : file.read<T>()) rows[T::table].push_back(to_row(record).values);
  });
  return rows;
}

struct Sound {
  std::string file;
  Rows rows;
};

// Something of everything, and the file of it.
Sound make_sound(const std::filesystem::path& folder) {
  AtmHouse house;
  house.load(1, 20, 50);
  house.insert();
  house.withdraw(20);
  house.withdraw(15);  // The notes cannot make it.
  house.deposit(house.new_id(), 10, 2);
  house.resolve(house.new_id());
  v1::TransferRequest transfer;
  transfer.set_id(std::string(house.new_id().view()));
  transfer.set_session_id(house.session);
  transfer.set_target_account_id("4000-john");
  transfer.mutable_amount()->set_minor_units(100);
  transfer.mutable_amount()->set_currency("EUR");
  house.call(transfer_method, std::move(transfer));
  // What is remembered of the bank is written with the next step of something else.
  house.pass(std::chrono::seconds(5));
  v1::SetServiceRequest service;
  service.set_terminal_id("atm-1");
  service.set_in_service(true);
  house.call(set_service_method, std::move(service));
  house.stop();
  {
    ledger::Database database((house.folder() / "atm" / journal_file_name).string(),
                              ledger::Database::Access::read_write);
    database.checkpoint();
  }
  Sound sound{.file = fuzz::bytes_in(house.folder() / "atm" / journal_file_name), .rows = {}};
  std::filesystem::create_directories(folder);
  fuzz::write_bytes(folder / journal_file_name, sound.file);
  const std::filesystem::path whole = house.folder_to_audit();
  for (const char* end : {"", "-wal"}) {
    const std::string name = std::string(device_file_name) + end;
    if (std::filesystem::exists(whole / name)) {
      std::filesystem::copy_file(whole / name, folder / name);
    }
  }
  sound.rows = rows_in(folder);
  for_each_record(
      [&]<Record T>() { fuzz::require(sound.rows.contains(T::table), "every table has a row"); });
  return sound;
}

void read_file(std::string_view edits) {
  static const fuzz::FastFolder fast;
  static const std::filesystem::path folder = fast.path();
  static const Sound sound = make_sound(folder);
  std::filesystem::remove(folder / (std::string(journal_file_name) + "-wal"));
  std::filesystem::remove(folder / (std::string(journal_file_name) + "-shm"));
  fuzz::write_bytes(folder / journal_file_name, fuzz::damaged(sound.file, edits));
  bool is_sound = false;
  try {
    std::ostringstream out;
    is_sound = audit_offline(folder, out) == 0;
  } catch (const ledger::StorageError& damage) {
    fuzz::require(damage.what()[0] != '\0', "the damage is described");
  }
  Rows rows;
  try {
    rows = rows_in(folder);
  } catch (const ledger::StorageError& damage) {
    fuzz::require(!is_sound, "what cannot be read does not pass the audit");
    return;
  }
  for (const auto& [table, found] : rows) {
    const auto& written = sound.rows.at(table);
    for (const std::vector<Value>& row : found) {
      fuzz::require(std::ranges::find(written, row) != written.end(),
                    "a row is one that was written");
    }
  }
  fuzz::require(!is_sound || rows == sound.rows, "what passes the audit is all that was written");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  google::protobuf::LogSilencer quiet;
  const std::string_view rest = fuzz::text_of(data + 1, size - 1);
  if (data[0] >= tables) {
    read_file(rest);
    return 0;
  }
  Input input(rest);
  std::uint8_t table = 0;
  for_each_record([&]<Record T>() {
    if (table++ == data[0]) read_row<T>(input);
  });
  return 0;
}
