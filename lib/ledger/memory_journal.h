#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "ledger/books.h"
#include "ledger/journal.h"

namespace ledger {

// A journal that lasts as long as its object: for tests, and for a bank that may forget. Holds to the same contract as the one on
// disk, so it too projects behind its appends and finds only what it has projected.
//
// A ledger loaded from it a second time sees a restart.
class MemoryJournal final : public Journal {
 public:
  explicit MemoryJournal(InstanceId instance_id = {});
  ~MemoryJournal() override;

  void load(Ledger& ledger) override;
  void append(const Batch& batch) override;
  ChainHead head() const override { return head_; }
  InstanceId instance_id() const override { return instance_id_; }
  void project(std::size_t records_max) override;
  std::uint64_t projected_through() const override;
  bool tidy(bool) override { return false; }
  bool has_room() override { return true; }
  ReaderOpener reader_opener() override;

  std::optional<Record> find(const OperationId& id) override;
  Record record_at(std::uint64_t ledger_seq, std::size_t position) override;
  std::optional<HoldEntry> find_hold(const OperationId& id) override;
  std::optional<Transfer> find_transfer(std::uint64_t ledger_seq) override;

 private:
  struct Entry {
    Record record;
    std::size_t position = 0;  // In its batch.
  };
  // What readers share with the writer.
  class Tables;
  class Reader;

  InstanceId instance_id_;
  ChainHead head_;
  Books projection_;
  std::shared_ptr<Tables> tables_;
};

}  // namespace ledger
