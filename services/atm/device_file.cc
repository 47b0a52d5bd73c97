#include "atm/device_file.h"

#include <chrono>

#include "ledger/own_log.h"

namespace atm {

namespace {

constexpr std::int32_t schema_version = 3;
constexpr std::int32_t application = 0x4154'4d57;  // "ATMW", the devices' world.
// The WAL is moved into the database when it is this long: 4 MB.
constexpr std::int64_t wal_pages_max = 1000;
// What the devices hold, and where the newest acts are.
constexpr int page_cache_kibibytes = 4 * 1024;

std::string schema() {
  return schema_of<WorldNotes>() + schema_of<WorldFault>() + schema_of<DispenseAct>() +
         schema_of<AcceptAct>() + schema_of<StaffAct>() +
         // Of the few whose notes still wait, among all that there ever were.
         "CREATE INDEX in_escrow ON accept (device) WHERE place = 'ESCROW';\n";
}

}  // namespace

void DeviceRows::add_notes(const std::string& place, std::uint32_t position, Cents denomination,
                           std::int64_t count) {
  const std::vector<WorldNotes> found = tables_.read<WorldNotes>(
      "device = ? AND place = ? AND position = ? AND denomination = ?",
      std::vector<Value>{device_, place, to_value(position), to_value(denomination)});
  WorldNotes notes{
      .place = place, .position = position, .denomination = denomination, .count = count};
  if (!found.empty()) notes.count += found.front().count;
  write(std::move(notes));
}

void DeviceRows::remove_all(const std::string& place) {
  for (WorldNotes& notes : read<WorldNotes>()) {
    if (notes.place != place) continue;
    notes.count = 0;
    write(std::move(notes));
  }
}

Fault DeviceRows::fault() {
  const std::vector<WorldFault> found = read<WorldFault>();
  if (found.empty()) return {};
  const WorldFault& row = found.front();
  return {.kind = row.kind,
          .after_notes = row.after_notes,
          .delay = std::chrono::milliseconds(row.delay_ms)};
}

void DeviceRows::set_fault(const Fault& fault) {
  write(WorldFault{
      .kind = fault.kind, .after_notes = fault.after_notes, .delay_ms = fault.delay.count()});
}

namespace {

std::string devices_in(const std::filesystem::path& folder) {
  std::string file = (folder / device_file_name).string();
  ledger::require_own_log(file, application, schema_version);
  return file;
}

}  // namespace

DeviceFile::DeviceFile(const std::filesystem::path& folder, Use use)
    : use_(use),
      database_(devices_in(folder), use == Use::serve ? ledger::Database::Access::exclusive
                                                      : ledger::Database::Access::at_rest),
      tables_(database_) {
  database_.set_page_cache(page_cache_kibibytes);
  const std::string tables = schema();
  database_.open_schema(application, schema_version, use == Use::serve ? tables.c_str() : nullptr);
}

void DeviceFile::change(std::span<Act> acts) {
  if (use_ == Use::audit) {
    for (Act& act : acts) act(tables_);
    return;
  }
  ledger::Transaction transaction(database_);
  for (Act& act : acts) act(tables_);
  transaction.commit();
  database_.require_in_place();
  if (database_.wal_pages() >= wal_pages_max) database_.checkpoint();
}

void DeviceFile::require_sound() {
  atm::require_sound(database_, schema() + ledger::create_log_table);
  const std::vector<Value> no_values;
  tables_.read<WorldNotes>("1", no_values);
  tables_.read<WorldFault>("1", no_values);
  tables_.read<DispenseAct>("1", no_values);
  tables_.read<AcceptAct>("1", no_values);
  tables_.read<StaffAct>("1", no_values);
}

}  // namespace atm
