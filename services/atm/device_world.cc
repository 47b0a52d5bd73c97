#include "atm/device_world.h"

namespace atm {

namespace {

constexpr std::int32_t schema_version = 1;
constexpr std::int32_t application = 0x4154'4d57;  // "ATMW", a device's world.

}  // namespace

DeviceWorld::DeviceWorld(const std::filesystem::path& path, const std::string& schema)
    : database_(path.string(), ledger::Database::Access::read_write), tables_(database_) {
  const std::string tables = schema_of<WorldNotes>() + schema_of<WorldFault>() + schema;
  database_.open_schema(application, schema_version, tables.c_str());
}

void DeviceWorld::add_notes(const std::string& place, std::uint32_t position, Cents denomination,
                            std::int64_t count) {
  const std::vector<WorldNotes> found =
      read<WorldNotes>("place = ? AND position = ? AND denomination = ?",
                       {place, to_value(position), to_value(denomination)});
  WorldNotes notes{
      .place = place, .position = position, .denomination = denomination, .count = count};
  if (!found.empty()) notes.count += found.front().count;
  write(notes);
}

void DeviceWorld::remove_all(const std::string& place) {
  ledger::Statement statement = database_.prepare("DELETE FROM notes WHERE place = ?");
  statement.bind_text(1, place);
  statement.run();
}

Fault DeviceWorld::fault() {
  const std::vector<WorldFault> found = read<WorldFault>();
  if (found.empty()) return {};
  const WorldFault& row = found.front();
  return {.kind = row.kind,
          .after_notes = row.after_notes,
          .delay = std::chrono::milliseconds(row.delay_ms)};
}

void DeviceWorld::set_fault(const Fault& fault) {
  const WorldFault row{
      .kind = fault.kind, .after_notes = fault.after_notes, .delay_ms = fault.delay.count()};
  write(row);
}

}  // namespace atm
