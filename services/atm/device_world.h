// DeviceWorld: what simulated devices have in common, a file that is their physical world.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

#include "async/loop.h"
#include "atm/devices.h"
#include "atm/table.h"

namespace atm {

// Notes in one place of a device.
struct WorldNotes {
  std::string place;  // "cassette", "reject bin", "deposit bin".
  std::uint32_t position = 0;
  Cents denomination;
  std::int64_t count = 0;

  static constexpr std::string_view table = "notes";
  static constexpr int key_columns = 3;
  static constexpr void fields(auto&& field) {
    field("place", &WorldNotes::place);
    field("position", &WorldNotes::position);
    field("denomination", &WorldNotes::denomination);
    field("count", &WorldNotes::count);
  }
};

struct WorldFault {
  std::uint32_t number = 1;  // There is one row.
  FaultKind kind = FaultKind::none;
  std::uint32_t after_notes = 0;
  std::int64_t delay_ms = 0;

  static constexpr std::string_view table = "fault";
  static constexpr int key_columns = 1;
  static constexpr void fields(auto&& field) {
    field("number", &WorldFault::number);
    field("kind", &WorldFault::kind);
    field("after_notes", &WorldFault::after_notes);
    field("delay_ms", &WorldFault::delay_ms);
  }
};

// One simulated device's file. What happens in a change() is one durable step: neither a crash of
// atmd nor a power cut takes back what customers hold in their hands. Shared between the device and
// the pool's work, which may outlive it; any thread.
class DeviceWorld {
 public:
  // `schema`: the tables beside notes and fault. Throws StorageError.
  DeviceWorld(const std::filesystem::path& path, const std::string& schema);

  // Runs `act(*this)` as one step.
  template <typename Act>
  auto change(Act act) {
    const std::lock_guard lock(mutex_);
    ledger::Transaction transaction(database_);
    auto result = act(*this);
    transaction.commit();
    if (database_.wal_pages() >= wal_pages_max) database_.checkpoint();
    return result;
  }

  // Within a change.
  template <Record T>
  void write(const T& record) {
    tables_.write(to_row(record));
  }
  template <Record T>
  std::vector<T> read(const std::string& condition = "1", std::vector<Value> values = {}) {
    return tables_.read<T>(condition, values);
  }
  template <Record T>
  std::optional<T> find(const OperationId& id) {
    return tables_.find<T>(id);
  }
  void add_notes(const std::string& place, std::uint32_t position, Cents denomination,
                 std::int64_t count);
  void remove_all(const std::string& place);
  Fault fault();
  void set_fault(const Fault& fault);

 private:
  static constexpr std::int64_t wal_pages_max = 1000;

  std::mutex mutex_;
  ledger::Database database_;
  Tables tables_;
};

// A change of the world, on the pool: losing who waits for it does not stop it.
template <typename Act>
auto change_in_pool(async::Loop& loop, std::shared_ptr<DeviceWorld> world, Act act) {
  auto work = [world = std::move(world), act = std::move(act)] { return world->change(act); };
  return loop.offload(std::move(work));
}

}  // namespace atm
