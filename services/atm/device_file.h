// DeviceFile: the simulated devices' world on the disk.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "atm/device_records.h"
#include "atm/devices.h"
#include "atm/table.h"
#include "ledger/sqlite.h"

namespace atm {

// One device's rows, which are all that an act on it sees. Lives as long as the act.
class DeviceRows {
 public:
  DeviceRows(Tables& tables, std::string_view device) : tables_(tables), device_(device) {}

  template <Record T>
  void write(T record) {
    record.device = device_;
    tables_.write(to_row(record));
  }
  template <Record T>
  std::vector<T> read(const std::string& condition = "1") {
    return tables_.read<T>("device = ? AND " + condition, std::vector<Value>{device_});
  }
  template <Record T>
  std::optional<T> find(const OperationId& id) {
    std::vector<T> found =
        tables_.read<T>("id = ? AND device = ?", std::vector<Value>{to_value(id), device_});
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
  }

  void add_notes(const std::string& place, std::uint32_t position, Cents denomination,
                 std::int64_t count);
  void remove_all(const std::string& place);
  Fault fault();
  void set_fault(const Fault& fault);

 private:
  Tables& tables_;
  std::string device_;
};

// One SQLite file for all simulated devices of an atmd, of a process that has locked their journal;
// nobody else may open it meanwhile. change() is called on a thread of the pool, one call at a time;
// everything else before the first of them. A test puts another in its place.
class DeviceFile {
 public:
  using Act = std::move_only_function<void(Tables&)>;

  enum class Use : std::uint8_t {
    serve,  // Makes the file if there is none.
    audit,  // Acts only look, and nothing is made or changed.
  };
  // Throws StorageError.
  explicit DeviceFile(const std::filesystem::path& folder, Use use = Use::serve);
  virtual ~DeviceFile() = default;

  // All acts in their order, or none. When it returns they are on the disk: neither a crash of atmd
  // nor a power cut takes back what customers hold in their hands. When it throws nobody knows.
  virtual void change(std::span<Act> acts);
  // As JournalFile::require_sound, and reads and verifies every row.
  void require_sound();
  Fault fault_of(std::string_view device) { return DeviceRows(tables_, device).fault(); }

 private:
  const Use use_;
  ledger::Database database_;
  Tables tables_;
};

inline constexpr std::string_view device_file_name = "devices.db";

}  // namespace atm
