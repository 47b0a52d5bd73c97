#include "ledger/sqlite_journal.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include <sodium.h>
#include <sqlite3.h>

#include "ledger/check.h"
#include "ledger/codec.h"
#include "ledger/journal_reader.h"
#include "ledger/memory.h"
#include "ledger/own_log.h"

namespace ledger {
namespace {

// In memory, with their names, their places in the index and what the heap adds.
constexpr std::size_t account_bytes = 190;
constexpr std::size_t card_bytes = 320;
// Answers that a start reads because their ids are of a time that has not come yet. At 10 microseconds each they are read at once.
constexpr std::size_t remembered_max = 1'024;

// The time that a UUIDv7 would have been made at whose first bytes are these.
Instant time_in(OperationId id) {
  id.bytes[6] = 0x70;
  id.bytes[8] = 0x80;
  return *id.made_at();
}

// Names that are read together lie together: two thirds of the memory that each would take by itself. A block goes with its last.
class NamesTogether {
 public:
  std::shared_ptr<const AccountNames> add(const AccountNames& names) {
    if (used_ == block_size) {
      block_ = std::make_shared<Block>();
      used_ = 0;
    }
    AccountNames& place = (*block_)[used_++];
    place = names;
    return {block_, &place};
  }

 private:
  static constexpr std::size_t block_size = 64;
  using Block = std::array<AccountNames, block_size>;

  std::shared_ptr<Block> block_;
  std::size_t used_ = block_size;
};

}  // namespace

// One prepared statement a table.
struct SqliteJournal::Writers {
  explicit Writers(Database& database)
      : journal(database.prepare_later("INSERT INTO journal VALUES (?,?,?,?)")),
        meta(database.prepare_later(MetaTable::write)),
        account(database.prepare_later(AccountTable::write)),
        card(database.prepare_later(CardTable::write)),
        terminal(database.prepare_later(TerminalTable::write)),
        hold(database.prepare_later(HoldTable::write)),
        exception(database.prepare_later(ExceptionTable::write)),
        reversal(database.prepare_later(ReversalTable::write)),
        operation(database.prepare_later(OperationTable::write)),
        found_by(database.prepare_later(FoundByTable::write)) {}

  Statement journal;
  Statement meta;
  Statement account;
  Statement card;
  Statement terminal;
  Statement hold;
  Statement exception;
  Statement reversal;
  Statement operation;
  Statement found_by;
};

namespace {

// The lock comes before the file.
std::string with_own_log(std::string file) {
  require_own_log(file, bank_application_id, bank_schema_version);
  return file;
}

// The schema comes before the statements over it.
Database& with_schema(Database& database) {
  database.open_schema(bank_application_id, bank_schema_version, create_tables);
  return database;
}

OperationId draw() {
  OperationId drawn;
  randombytes_buf(drawn.bytes.data(), drawn.bytes.size());
  return drawn;
}

}  // namespace

SqliteJournal::SqliteJournal(const std::string& path, std::int64_t wal_size_ahead)
    : lock_(path),
      database_(with_own_log(path), Database::Access::read_write),
      wal_size_ahead_(wal_size_ahead),
      tables_(with_schema(database_)),
      writers_(std::make_unique<Writers>(database_)) {
  // Before anything is hashed: it finds out how this processor does that best.
  check(sodium_init() >= 0);
  Statement read = database_.prepare(MetaTable::read);
  const Rows rows(read);
  if (read.step()) {
    meta_ = read_row<MetaTable, MetaRow>(read, database_.path());
    return;
  }
  meta_.instance_id = draw();
  meta_.created_at = std::chrono::floor<Instant::duration>(std::chrono::system_clock::now());
  write_row<MetaTable>(writers_->meta, meta_);
}

SqliteJournal::~SqliteJournal() = default;

// --- Start ---

void SqliteJournal::load(Ledger& ledger) {
  expect_memory(meta_.accounts * account_bytes + meta_.cards * card_bytes);
  // Nearly all that is read is read once.
  database_.set_page_cache(64);
  // One lock for all of it, not one a row.
  const View reading(database_);
  load_tables();
  ledger.books_to_restore() = projection_;
  remember_recent(ledger);
  replay(ledger);
  if (head_.ledger_seq > meta_.projected_through && !ledger.books().is_balanced()) {
    tables_.damaged("its books are not balanced");
  }
  database_.set_page_cache(page_cache_kibibytes);
}

void SqliteJournal::load_tables() {
  projection_ = Books();
  NamesTogether names;
  projection_.reserve(meta_.accounts, meta_.cards);
  const std::string& path = database_.path();
  const auto load = [&]<typename Table, typename Row>(Table, Row, std::uint64_t count,
                                                      auto in_order) {
    const auto require = [&](bool is_so) {
      if (is_so) return;
      tables_.damaged(std::string("a row of table ") + Table::name +
                      " is missing, or there is one too many");
    };
    std::uint64_t found = 0;
    const auto take = [&](const RowValues& values) {
      Row row = read_row<Table, Row>(values, path);
      require(in_order(row));
      if constexpr (std::is_same_v<Row, ReversalRow>) {
        projection_.restore_reversal(row.transfer_seq, row.reversing_seq);
      } else {
        if constexpr (std::is_same_v<Row, Account>) row.names = names.add(*row.names);
        projection_.restore(std::move(row));
      }
      ++found;
    };
    database_.for_each(Table::all_columns, Table::name, take);
    require(found == count);
  };
  const auto numbered = [](const auto& list) {
    return [&list](const auto& row) {
      return static_cast<std::size_t>(std::to_underlying(row.number)) == list.size();
    };
  };
  const auto any = [](const auto&) { return true; };
  load(AccountTable(), Account(), meta_.accounts, numbered(projection_.accounts()));
  load(CardTable(), Card(), meta_.cards, numbered(projection_.cards()));
  load(TerminalTable(), Terminal(), meta_.terminals, numbered(projection_.terminals()));
  load_open_holds();
  load(ExceptionTable(), ExceptionEntry(), meta_.exceptions, any);
  load(ReversalTable(), ReversalRow(), meta_.reversals, any);
  projection_.restore_position(meta_.projected_through, meta_.projected_at, meta_.projected_day);
  if (!projection_.is_balanced()) tables_.damaged("its tables are not balanced");
}

// They are found by an index, and an index may lack a row: each account says how many it has.
void SqliteJournal::load_open_holds() {
  {
    Statement read = database_.prepare(HoldTable::read);
    const Rows rows(read);
    while (read.step()) {
      HoldEntry hold = read_row<HoldTable, HoldEntry>(read, database_.path());
      if (!hold.is_open())
        tables_.damaged("among the open holds of table hold there is one too many");
      projection_.restore(std::move(hold));
    }
  }
  std::vector<std::uint32_t> open(projection_.accounts().size());
  for (const auto& [ledger_seq, hold] : projection_.holds()) {
    const auto account = static_cast<std::size_t>(std::to_underlying(hold.account));
    if (account < open.size()) ++open[account];
  }
  for (const Account& account : projection_.accounts()) {
    if (open[static_cast<std::size_t>(std::to_underlying(account.number))] == account.open_holds) {
      continue;
    }
    tables_.damaged("an open hold of account " + account.id() + " is missing in table hold");
  }
}

// Answers in the tables whose ids are young enough that nobody would look there: few, if clocks are right. Ids that are no times lie
// anywhere, and any number of them above these: they are looked up.
void SqliteJournal::remember_recent(Ledger& ledger) {
  const Instant line = ledger.restored();
  constexpr std::array<std::uint8_t, 10> any{};
  const OperationId first = OperationId::make(std::max(line, Instant()), any);
  std::vector<OperationRow> rows =
      tables_.operations_from(first.view().substr(0, 6), remembered_max + 1);
  if (rows.size() > remembered_max) {
    // Ids that are made from now on are newer than all, unless somebody's clock was ahead.
    Statement newest =
        database_.prepare("SELECT id FROM operation WHERE id IS NOT NULL ORDER BY id DESC LIMIT 1");
    newest.step();
    const OperationId newest_id = *OperationId::from_bytes(newest.blob(0));
    ledger.remember_none(time_in(rows.back().id), time_in(newest_id));
    rows.pop_back();
  }
  std::ranges::sort(rows, {}, &OperationRow::ledger_seq);
  for (const OperationRow& row : rows) {
    const std::optional<Instant> made_at = row.id.made_at();
    if (!made_at.has_value() || *made_at <= line) continue;
    ledger.remember(tables_.record(row), static_cast<std::size_t>(row.position));
  }
}

void SqliteJournal::replay(Ledger& ledger) {
  Statement read = database_.prepare(
      "SELECT seq, at, hash, records FROM journal WHERE seq >= "
      "(SELECT coalesce(max(seq), 0) FROM journal WHERE seq <= ?) ORDER BY seq");
  const Rows rows(read);
  read.bind(1, static_cast<std::int64_t>(meta_.projected_through));
  head_ = ChainHead();
  while (read.step()) {
    const auto seq = static_cast<std::uint64_t>(read.integer(0));
    const std::string row = "journal row " + std::to_string(seq);
    const std::string_view all = read.blob(3);
    // The first row read is the last that the tables have whole, if there is one: from it the chain goes on.
    const Hash before = head_.ledger_seq == 0 ? tables_.hash_before(seq) : head_.hash;
    head_ = ChainHead{seq, chain(before, seq, instant_of(read.integer(1)), all)};
    if (tables_.hash_at(seq) != head_.hash) {
      tables_.damaged(row + " does not follow from the row before it");
    }
    if (seq <= meta_.projected_through) continue;
    std::string_view rest = all;
    while (!rest.empty()) {
      const std::size_t position = all.size() - rest.size();
      const std::optional<Record> record = decode(rest);
      if (!record.has_value()) tables_.damaged(row + " holds no records");
      if (record->ledger_seq <= meta_.projected_through) continue;
      if (record->ledger_seq != ledger.books().last_seq() + 1) {
        tables_.damaged(row + " is not the next one");
      }
      ledger.replay(*record, position);
    }
    if (ledger.books().last_seq() != seq) tables_.damaged(row + " ends with another record");
  }
  if (head_.ledger_seq < meta_.projected_through) {
    tables_.damaged("its journal ends before its tables do");
  }
}

// --- Appending ---

void SqliteJournal::append(const Batch& batch) {
  insert(batch);
  if (wal_ != nullptr) return;
  wal_ = database_.wal();
  if (wal_ != nullptr) database_.join_writes();
}

// The first one makes the name of the WAL's file durable, too, so it does not wait for a sync.
void SqliteJournal::append_unsynced(const Batch& batch) {
  if (wal_ == nullptr) return append(batch);
  database_.set_durable(false);
  insert(batch);
  database_.set_durable(true);
}

void SqliteJournal::sync() {
  if (wal_ != nullptr) database_.sync(wal_);
}

void SqliteJournal::insert(const Batch& batch) {
  check(!batch.empty());
  const Record& last = batch.records.back();
  check(batch.records.front().ledger_seq == head_.ledger_seq + 1);
  const Hash hash = chain(head_.hash, last.ledger_seq, last.at, *batch.bytes);
  Statement& row = writers_->journal;
  row.bind(1, static_cast<std::int64_t>(last.ledger_seq));
  row.bind(2, microseconds_of(last.at));
  row.bind_blob(3, {reinterpret_cast<const char*>(hash.data()), hash.size()});
  row.bind_blob(4, *batch.bytes);
  // A transaction of its own.
  database_.before_write();
  row.run();
  database_.require_in_place();
  head_ = ChainHead{last.ledger_seq, hash};
  appended_ = batch.bytes->size();
}

// --- Projecting ---

void SqliteJournal::project(std::size_t records_max) {
  if (projection_.last_seq() == head_.ledger_seq) return;
  // A power cut may take this back: the journal has it all, and the next append makes it durable along with itself.
  database_.set_durable(false);
  {
    Transaction transaction(database_);
    Dirty dirty;
    for (std::size_t count = 0; count < records_max && projection_.last_seq() < head_.ledger_seq;
         ++count) {
      project_one(dirty);
    }
    tables_.end_batches();
    write(dirty);
    meta_.projected_through = projection_.last_seq();
    meta_.projected_at = projection_.last_at();
    meta_.projected_day = projection_.last_day();
    meta_.accounts = projection_.accounts().size();
    meta_.cards = projection_.cards().size();
    meta_.terminals = projection_.terminals().size();
    meta_.exceptions = projection_.exceptions().size();
    meta_.reversals = projection_.reversal_count();
    write_row<MetaTable>(writers_->meta, meta_);
    transaction.commit();
  }
  database_.set_durable(true);
  projection_.forget(meta_.projected_through);
}

void SqliteJournal::project_one(Dirty& dirty) {
  const std::uint64_t ledger_seq = projection_.last_seq() + 1;
  if (batch_done_ == batch_.records.size()) {
    tables_.read_batch(ledger_seq, batch_);
    batch_done_ = 0;
  }
  std::string_view bytes = std::string_view(batch_.records).substr(batch_done_);
  std::optional<Record> record = decode(bytes);
  // After a start the first ones may have been projected before.
  while (record.has_value() && record->ledger_seq < ledger_seq) {
    batch_done_ = batch_.records.size() - bytes.size();
    record = decode(bytes);
  }
  if (!record.has_value() || record->ledger_seq != ledger_seq) {
    tables_.damaged("journal row " + std::to_string(batch_.seq) + " is not what was written");
  }
  OperationRow row = row_of(*record, batch_.seq);
  row.position = static_cast<std::int64_t>(batch_done_);
  batch_done_ = batch_.records.size() - bytes.size();
  row.size = static_cast<std::int64_t>(batch_done_) - row.position;
  Effects effects = projection_.project(*record);
  if (effects.movement.has_value()) set_transfer(row, *std::move(effects.movement));
  write_operation(writers_->operation, row);
  if (const std::optional<FoundByRow> more = found_by(row)) {
    write_row<FoundByTable>(writers_->found_by, *more);
  }
  dirty.accounts.insert(effects.accounts.begin(), effects.accounts.begin() + effects.account_count);
  if (effects.card.has_value()) dirty.cards.insert(*effects.card);
  if (effects.second_card.has_value()) dirty.cards.insert(*effects.second_card);
  if (effects.terminal.has_value()) dirty.terminals.insert(*effects.terminal);
  if (effects.hold_seq != 0) dirty.holds.insert(effects.hold_seq);
  if (effects.exception_seq != 0) dirty.exceptions.insert(effects.exception_seq);
  if (effects.reversed_seq != 0) dirty.reversals.insert(effects.reversed_seq);
}

void SqliteJournal::write(const Dirty& dirty) {
  for (const AccountNumber number : dirty.accounts) {
    write_row<AccountTable>(writers_->account, projection_.account(number));
  }
  for (const CardNumber number : dirty.cards) {
    write_row<CardTable>(writers_->card, projection_.card(number));
  }
  for (const TerminalNumber number : dirty.terminals) {
    write_row<TerminalTable>(writers_->terminal, projection_.terminal(number));
  }
  for (const std::uint64_t seq : dirty.holds) {
    write_row<HoldTable>(writers_->hold, projection_.holds().at(seq));
  }
  for (const std::uint64_t seq : dirty.exceptions) {
    write_row<ExceptionTable>(writers_->exception, projection_.exceptions().at(seq));
  }
  for (const std::uint64_t seq : dirty.reversals) {
    const ReversalRow row{.transfer_seq = seq, .reversing_seq = projection_.reversed_by(seq)};
    write_row<ReversalTable>(writers_->reversal, row);
  }
}

bool SqliteJournal::tidy(bool is_quiet) {
  const std::int64_t pages = database_.wal_pages();
  // Its first commit is nobody's change.
  if (pages >= (is_quiet ? 2 : wal_pages_max)) database_.checkpoint();
  // Small batches gain from a WAL that is long already, however busy they come; a large one costs its writing anyway.
  const bool gains = !wal_is_long_ && appended_ <= small_batch_max;
  if (!is_quiet && !gains) return false;
  // A small disk keeps its room for changes.
  if (free_bytes(database_.path()) < 2 * disk_reserve_bytes) return false;
  const bool is_more = database_.lengthen_wal(wal_size_ahead_);
  wal_is_long_ = !is_more;
  return is_quiet && is_more;
}

bool SqliteJournal::has_room() {
  const auto now = std::chrono::steady_clock::now();
  if (now >= room_known_until_) {
    has_room_ = has_room_for_changes(free_bytes(database_.path()), has_room_);
    room_known_until_ = now + room_known_for;
  }
  return has_room_;
}

Journal::ReaderOpener SqliteJournal::reader_opener() { return open_readers_of(database_.path()); }

}  // namespace ledger
