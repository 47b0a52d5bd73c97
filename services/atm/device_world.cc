#include "atm/device_world.h"

namespace atm {

namespace {

constexpr std::int64_t schema_version = 1;

}  // namespace

DeviceWorld::DeviceWorld(const std::filesystem::path& path, const std::string& schema)
    : database_(path, Database::Mode::create) {
  database_.ensure_schema(schema_version,
                          schema_of<WorldNotes>() + schema_of<WorldFault>() + schema);
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
  Statement statement = database_.prepare("DELETE FROM notes WHERE place = ?");
  const std::vector<Value> values = {place};
  statement.run(values);
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
