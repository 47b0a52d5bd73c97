// The reader of the bank's journal: what is damaged is reported, and never read as something else.
//
// The first byte chooses: bytes that may be records; or the file of a bank that has done something
// of everything, with some bytes changed (damage.h).
#include <filesystem>
#include <string>

#include "fuzz/damage.h"
#include "ledger/codec.h"
#include "ledger/sqlite_journal.h"
#include "ledger/verify.h"
#include "ledger_fixture.h"

namespace {

using namespace ledger;
using namespace std::chrono_literals;

void read_records(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view before = bytes;
    const std::optional<Record> record = decode(bytes);
    if (!record) {
      fuzz::require(bytes == before, "what is no record is left alone");
      return;
    }
    fuzz::require(bytes.size() < before.size(), "a record takes bytes");
    std::string again;
    encode(*record, again);
    fuzz::require(again == before.substr(0, before.size() - bytes.size()),
                  "a record that is read is written as it was");
  }
}

struct Sound {
  std::string file;
  Verified verified;
  Books books;
};

Books books_in(const std::string& path) {
  SqliteJournal journal(path);
  Ledger ledger(journal);
  journal.load(ledger);
  return ledger.books();
}

Sound make_sound(const std::string& path) {
  {
    SqliteJournal journal(path);
    Bank bank(journal, 10s);
    bank.open_jane();
    bank.open("john", 5'00);
    bank.must(Bank::capture(bank.held(10'00), 4'00));
    bank.must(Void{.hold = bank.next_id()});
    bank.held(1'00, 1s);
    bank.pass(1s);
    const std::uint64_t moved = bank.must(Bank::transfer("jane", "john", 5'00)).ledger_seq;
    bank.must(Reverse{.transfer_seq = moved});
    bank.must(Suspend{.hold = bank.held(2'00), .evidence = "jammed"});
    bank.project();
    bank.must(Bank::deposit(3'00));
  }
  {
    Database database(path, Database::Access::read_write);
    database.checkpoint();
  }
  Sound sound{.file = fuzz::bytes_in(path), .verified = verify(path), .books = books_in(path)};
  return sound;
}

void read_file(std::string_view edits) {
  static const fuzz::FastFolder folder;
  static const std::string path = (folder.path() / "bank.db").string();
  static const Sound sound = make_sound(path);
  std::filesystem::remove(path + "-wal");
  std::filesystem::remove(path + "-shm");
  fuzz::write_bytes(path, fuzz::damaged(sound.file, edits));
  bool is_sound = false;
  try {
    const Verified verified = verify(path);
    fuzz::require(verified.head == sound.verified.head, "what is verified is the whole journal");
    is_sound = true;
  } catch (const StorageError& damage) {
    fuzz::require(damage.what()[0] != '\0', "the damage is described");
  }
  try {
    const Books books = books_in(path);
    fuzz::require(books.is_balanced(), "a bank that starts is balanced");
    fuzz::require(!is_sound || books == sound.books,
                  "a file that is verified holds the same books");
  } catch (const StorageError& damage) {
    fuzz::require(!is_sound, "a bank starts on what was verified");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest = fuzz::text_of(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    read_records(rest);
  } else {
    read_file(rest);
  }
  return 0;
}
