// Planted bugs: what could be wrong with a journal, a dispenser or a client of the bank, each as a part for a simulation.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "bank/v1/bank.pb.h"
#include "devices.h"
#include "frames.h"
#include "ledger/codec.h"
#include "machines.h"
#include "rpc/v1/envelope.pb.h"

namespace sim {

namespace wire = ::bank::v1;

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

// Often jams, and says that all was presented.
class BoastfulDispenser final : public SimDispenser {
 public:
  using SimDispenser::SimDispenser;
  Task<Told<atm::Dispensed>> dispense(OperationId id, Picks picks) override {
    const Picks wanted = picks;
    if (line_.world().chance(200)) world_.ailment.jams = true;
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

// No bug: it often cannot say what it presented.
class UnsureDispenser final : public SimDispenser {
 public:
  using SimDispenser::SimDispenser;
  Task<Told<atm::Dispensed>> dispense(OperationId id, Picks picks) override {
    const bool was_unsure = world_.ailment.is_unsure;
    world_.ailment.is_unsure = was_unsure || line_.world().chance(300);
    Told<atm::Dispensed> told = co_await SimDispenser::dispense(id, std::move(picks));
    world_.ailment.is_unsure = was_unsure;
    co_return told;
  }
};

// --- The acceptor ---

// In its silence it is believed to have kept what it was told to keep.
class BelievedAcceptor final : public SimAcceptor {
 public:
  using SimAcceptor::SimAcceptor;
  Task<Told<atm::Accepted>> keep(OperationId id) override {
    const auto act = world_.acts.find(id);
    Told<atm::Accepted> told = co_await SimAcceptor::keep(id);
    const bool is_silent = !told && act != world_.acts.end();
    if (is_silent) told = atm::Accepted{.place = atm::Place::kept, .notes = act->second.notes};
    co_return told;
  }
};

// --- The bank's client ---

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
    return rewrite<::rpc::v1::Request>(frames, [&](::rpc::v1::Request& request, std::string& more) {
      if (request.method() != method) return;
      T message;
      message.ParseFromString(request.body());
      ::rpc::v1::Request other = request;
      const bool adds = change(message);
      other.set_body(message.SerializeAsString());
      if (adds) {
        other.set_id(request.id() + 1'000'000'000);
        append_frame(other, more);
      } else {
        request = other;
      }
    });
  };
}

// --- What the bank's client takes an answer for ---

// Sees the requests that leave for the bank and the answers to them.
class WireTap {
 public:
  // The request that this answers: its method's short name and its body. Empty: not known.
  std::pair<std::string, std::string> asked(std::uint64_t id) const {
    const auto found = asked_.find(id);
    return found == asked_.end() ? std::pair<std::string, std::string>() : found->second;
  }
  void note(const ::rpc::v1::Request& request) {
    const std::string& path = request.method();
    asked_[request.id()] = {path.substr(path.rfind('/') + 1), request.body()};
  }

 private:
  std::map<std::uint64_t, std::pair<std::string, std::string>> asked_;
};

// A client to which an outcome that it does not know, unset or of a later version, is the one of field `taken_for`.
inline Parts client_that_takes_unknown(std::string method, char taken_for) {
  const auto tap = std::make_shared<WireTap>();
  Parts parts;
  parts.bank_client = [tap](std::string_view frames) {
    return rewrite<::rpc::v1::Request>(
        frames, [&](::rpc::v1::Request& request, std::string&) { tap->note(request); });
  };
  parts.bank_client_reads = [tap, method, taken_for](std::string_view frames) {
    return rewrite<::rpc::v1::Response>(frames, [&](::rpc::v1::Response& response, std::string&) {
      constexpr char later_outcome = 15 << 3 | 2;
      const std::string& body = response.body();
      const bool is_unknown = body.empty() || body.front() == later_outcome;
      if (response.code() != 0 || !is_unknown || tap->asked(response.id()).first != method) return;
      // A number in the bank's journal, or a reason.
      response.set_body(std::string{static_cast<char>(taken_for << 3 | 2), 2, 1 << 3, 20});
    });
  };
  return parts;
}

// A client that tells a bank nothing again of what is in suspense: where a suspension was answered, it only asks for the hold.
inline Parts client_that_suspends_once(Parts parts) {
  const auto tap = std::make_shared<WireTap>();
  const auto answered = std::make_shared<std::set<std::string>>();
  parts.bank_client = [tap, answered](std::string_view frames) {
    return rewrite<::rpc::v1::Request>(frames, [&](::rpc::v1::Request& request, std::string&) {
      tap->note(request);
      wire::SuspendRequest suspend;
      if (!request.method().ends_with("/Suspend")) return;
      suspend.ParseFromString(request.body());
      if (!answered->contains(suspend.id())) return;
      // Its answer's yes is in the same field.
      wire::GetHoldRequest look;
      look.set_terminal_id(suspend.terminal_id());
      look.set_hold_id(suspend.hold_id());
      request.set_method("bank.v1.BankService/GetHold");
      request.set_body(look.SerializeAsString());
    });
  };
  parts.bank_client_reads = [tap, answered](std::string_view frames) {
    return rewrite<::rpc::v1::Response>(frames, [&](::rpc::v1::Response& response, std::string&) {
      const auto [method, body] = tap->asked(response.id());
      if (response.code() != 0 || method != "Suspend") return;
      wire::SuspendRequest suspend;
      suspend.ParseFromString(body);
      answered->insert(suspend.id());
    });
  };
  return parts;
}

}  // namespace sim
