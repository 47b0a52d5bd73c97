// Planted bugs: what could be wrong with a journal, a dispenser or a client of the bank, each as a part for a simulation.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bank/v1/bank.pb.h"
#include "devices.h"
#include "ledger/codec.h"
#include "machines.h"
#include "rpc/v1/envelope.pb.h"

namespace sim {

// --- The bank's journal ---

class WrappedJournal : public ledger::Journal {
 public:
  explicit WrappedJournal(const std::string& path) : inner_(path) {}
  void load(ledger::Ledger& ledger) override { inner_.load(ledger); }
  void append(const ledger::Batch& batch) override { inner_.append(batch); }
  ledger::ChainHead head() const override { return inner_.head(); }
  ledger::InstanceId instance_id() const override { return inner_.instance_id(); }
  void project(std::size_t records_max) override { inner_.project(records_max); }
  std::uint64_t projected_through() const override { return inner_.projected_through(); }
  bool tidy(bool is_quiet) override { return inner_.tidy(is_quiet); }
  bool has_room() override { return inner_.has_room(); }
  ReaderOpener reader_opener() override { return inner_.reader_opener(); }
  std::optional<ledger::Record> find(const OperationId& id) override { return inner_.find(id); }
  ledger::Record record_at(std::uint64_t ledger_seq, std::size_t position) override {
    return inner_.record_at(ledger_seq, position);
  }
  std::optional<ledger::HoldEntry> find_hold(const OperationId& id) override {
    return inner_.find_hold(id);
  }
  std::optional<ledger::Transfer> find_transfer(std::uint64_t seq) override {
    return inner_.find_transfer(seq);
  }

 protected:
  ledger::SqliteJournal inner_;
};

// Tells that a batch is durable, and writes it with the next: answers leave before the commit.
class LateJournal final : public WrappedJournal {
 public:
  using WrappedJournal::WrappedJournal;
  void append(const ledger::Batch& batch) override {
    if (!late_.empty()) inner_.append(late_);
    late_ = batch;
  }

 private:
  ledger::Batch late_;
};

// Knows the money after a restart, and no id.
class ForgetfulJournal final : public WrappedJournal {
 public:
  using WrappedJournal::WrappedJournal;
  void load(ledger::Ledger& ledger) override {
    ledger::Ledger knows_all(*this);
    inner_.load(knows_all);
    ledger.books_to_restore() = knows_all.books();
    ledger.restored();
  }
  std::optional<ledger::Record> find(const OperationId&) override { return std::nullopt; }
};

// Loses one batch in so many, and says nothing.
class LossyJournal final : public WrappedJournal {
 public:
  using WrappedJournal::WrappedJournal;
  void append(const ledger::Batch& batch) override {
    if (++appends_ % 40 != 0) inner_.append(batch);
  }

 private:
  int appends_ = 0;
};

// Writes down one cent more than was decided.
class WrongJournal final : public WrappedJournal {
 public:
  using WrappedJournal::WrappedJournal;
  void append(const ledger::Batch& batch) override {
    ledger::Batch wrong = batch;
    wrong.bytes = std::make_shared<std::string>();
    for (ledger::Record& record : wrong.records) {
      auto* const post = std::get_if<ledger::Post>(&record.operation.change);
      if (post != nullptr && record.outcome && post->kind == ledger::TransferKind::transfer) {
        post->amount += ledger::Cents{1};
      }
      encode(record, *wrong.bytes);
    }
    inner_.append(wrong);
  }
};

// --- The ATM's journal ---

// Tells that rows are on the disk, and writes them with the next: notes may move before DISPENSING is written down.
class LateAtmJournal final : public atm::JournalFile {
 public:
  using JournalFile::JournalFile;
  void write(std::span<const atm::Row> rows) override {
    if (!late_.empty()) JournalFile::write(late_);
    late_.assign(rows.begin(), rows.end());
  }

 private:
  std::vector<atm::Row> late_;
};

// Never writes down what is only asked for: a hold may be sent that nobody remembers.
class AtmJournalWithoutRequests final : public atm::JournalFile {
 public:
  using JournalFile::JournalFile;
  void write(std::span<const atm::Row> rows) override {
    std::vector<atm::Row> kept;
    for (const atm::Row& row : rows) {
      if (!is_request(row)) kept.push_back(row);
    }
    JournalFile::write(kept);
  }

 private:
  static bool is_request(const atm::Row& row) {
    if (row.table != "withdrawal") return false;
    for (const atm::Value& value : row.values) {
      const auto* const text = std::get_if<std::string>(&value);
      if (text != nullptr && *text == "REQUESTED") return true;
    }
    return false;
  }
};

// --- The dispenser ---

// Cannot say after a restart of the ATM what it did before, and says that it did nothing.
class ForgetfulDispenser final : public SimDispenser {
 public:
  using SimDispenser::SimDispenser;
  Task<Told<atm::Dispensed>> dispense(OperationId id, Picks picks) override {
    mine_.push_back(id);
    co_return co_await SimDispenser::dispense(id, std::move(picks));
  }
  Task<Told<atm::Dispensed>> presented(OperationId id) override {
    Told<atm::Dispensed> told = co_await SimDispenser::presented(id);
    if (told && std::ranges::find(mine_, id) == mine_.end()) told = atm::Dispensed();
    co_return told;
  }

 private:
  std::vector<OperationId> mine_;
};

// Says that all was presented, also when it jammed.
class BoastfulDispenser final : public SimDispenser {
 public:
  using SimDispenser::SimDispenser;
  Task<Told<atm::Dispensed>> dispense(OperationId id, Picks picks) override {
    const Picks wanted = picks;
    Told<atm::Dispensed> told = co_await SimDispenser::dispense(id, std::move(picks));
    if (told && told->sure)
      *told = {.acted = true, .sure = true, .presented = wanted, .rejected = {}};
    co_return told;
  }
};

// Gives one note more than it was told to, now and then, and does not know.
class GenerousDispenser final : public SimDispenser {
 public:
  using SimDispenser::SimDispenser;
  Task<Told<atm::Dispensed>> dispense(OperationId id, Picks picks) override {
    Picks more = picks;
    if (++dispenses_ % 5 == 0) ++more.front().count;
    Told<atm::Dispensed> told = co_await SimDispenser::dispense(id, std::move(more));
    if (told && told->sure) told->presented = std::move(picks);
    co_return told;
  }

 private:
  int dispenses_ = 0;
};

// --- The bank's client ---

// Calls `change` with every request that leaves for the bank; what it appends is sent after it.
template <typename Change>
std::string rewrite(std::string_view frames, Change change) {
  std::string out;
  const auto add = [&out](const ::rpc::v1::Request& request) {
    const std::string body = request.SerializeAsString();
    out.push_back(static_cast<char>(body.size() >> 8U));
    out.push_back(static_cast<char>(body.size() & 0xffU));
    out += body;
  };
  while (frames.size() >= 2) {
    const std::size_t size =
        static_cast<unsigned char>(frames[0]) * 256U + static_cast<unsigned char>(frames[1]);
    ::rpc::v1::Request request;
    async::check(frames.size() >= 2 + size, "the ATM writes whole frames");
    request.ParseFromArray(frames.data() + 2, static_cast<int>(size));
    frames.remove_prefix(2 + size);
    std::vector<::rpc::v1::Request> more;
    change(request, more);
    add(request);
    for (const auto& another : more) add(another);
  }
  return out;
}

inline std::string another_id(std::string id) {
  static std::uint32_t count = 0;
  ++count;
  for (std::size_t i = 0; i < 4; ++i) id[12 + i] = static_cast<char>(count >> (8 * i));
  return id;
}

// A client that treats requests of type T as `change(T&)` says, and, if that gives true, sends the first form, too.
template <typename T, typename Change>
auto client_that(std::string method, Change change) {
  return [method = "bank.v1.BankService/" + method, change](std::string_view frames) {
    return rewrite(frames, [&](::rpc::v1::Request& request, std::vector<::rpc::v1::Request>& more) {
      if (request.method() != method) return;
      T message;
      message.ParseFromString(request.body());
      ::rpc::v1::Request other = request;
      const bool adds = change(message);
      other.set_body(message.SerializeAsString());
      if (adds) {
        other.set_id(request.id() + 1'000'000'000);
        more.push_back(other);
      } else {
        request = other;
      }
    });
  };
}

}  // namespace sim
