// Scripts of requests to the ATM's customer and staff services (peer.h says how a line reads), with
// faults of the bank, the disk and the devices between them. Whatever is asked: an error changes
// nothing, a "no" and a replay move no note and no money, and in the end notes, books and bank
// agree, nothing stays open, and the journal alone gives the same state again.
//
//   + METHOD {json}      sent, and the next line does not wait
//   wait 1500            milliseconds
//   restart              the ATM's process is killed and starts again
//   bank METHOD silent   or lost (it decides, and its answer is lost), or well
//   disk full            or free
#include <set>
#include <sstream>
#include <vector>

#include "atm/offline_audit.h"
#include "atm_fixture.h"
#include "fuzz/peer.h"

namespace {

using namespace atm;

constexpr std::size_t lines_max = 40;
// No virtual day is spent in waiting for a device; the fuzzer finds a large number soon enough.
constexpr std::uint32_t delay_ms_max = 20'000;
constexpr std::string_view terminal_name = "atm-1";

struct Seen {
  std::uint64_t events = 0;
  Notes inside;
  std::vector<std::int64_t> balances;

  explicit Seen(AtmHouse& house) : events(house.journal->tail().number) {
    const Told<Dispenser::Inside> cassettes = house.run(house.dispenser->count());
    const Told<Acceptor::Inside> taken = house.run(house.acceptor->count());
    if (cassettes) {
      inside += cassettes->rejected;
      for (const Cassette& each : cassettes->cassettes) inside.add(each.denomination, each.count);
    }
    if (taken) inside += taken->bin + taken->escrow;
    for (const auto& [card, customer] : house.bank.state.customers) {
      balances.push_back(customer.balance);
    }
  }
  bool moved_to(const Seen& later) const {
    return inside != later.inside || balances != later.balances;
  }
};

class Play {
 public:
  Play() { connect(); }

  void run(std::string_view text) {
    fuzz::for_each_line(text, lines_max, [&](std::string_view line) { step(line); });
    peer_.reset();
    end_faults();
    for (int tries = 0; tries < 40 && !house_.open_items().empty(); ++tries) {
      decide();
      house_.loop.advance(10s);
    }
    house_.loop.advance(5s);
    fuzz::require(house_.open_items().empty(), "every change ends");
    fuzz::require(house_.exceptions().empty(), "the bank refuses nothing that has happened");
    fuzz::require(house_.differences().empty(), "every cent is accounted for");
    const std::string before = state();
    house_.restart();
    house_.loop.advance(5s);
    fuzz::require(state() == before, "the journal gives the same state");
    house_.stop();
    std::ostringstream out;
    fuzz::require(audit_offline(house_.folder_to_audit(), out) == 0, "the audit finds nothing");
  }

 private:
  void step(std::string_view line) {
    if (const auto wait = fuzz::wait_of(line)) return house_.loop.advance(*wait);
    if (line == "restart") return restart();
    if (line.starts_with("bank ")) return change_mood(line.substr(5));
    if (line == "disk full") house_.disk.free = 0;
    if (line == "disk free") house_.disk.free = 1ULL << 40U;
    const bool waits = !line.starts_with("+ ");
    const rpc::v1::Request request = request_of(waits ? line : line.substr(2));
    if (!waits) return send(request);

    house_.loop.advance(2s);  // What was only noted is on the disk by now.
    const bool quiet = is_quiet();
    const Seen before(house_);
    send(request);
    house_.pass(100ms);
    const Seen after(house_);
    for (const rpc::v1::Response& response : take_replies()) {
      if (response.id() == request.id() && quiet) judge(request, response, before, after);
    }
  }

  void judge(const rpc::v1::Request& request, const rpc::v1::Response& response, const Seen& before,
             const Seen& after) {
    // After a deadline nobody knows; anything else that is no answer is a no.
    const auto code = static_cast<rpc::StatusCode>(response.code());
    if (code == rpc::StatusCode::deadline_exceeded) return;
    if (code != rpc::StatusCode::ok) {
      fuzz::require(after.events == before.events, "an error changes nothing");
      fuzz::require(!before.moved_to(after), "an error moves nothing");
      return;
    }
    const auto answer = fuzz::answer_to(request.method(), response);
    if (answer == nullptr) return;
    const bool is_no = fuzz::has(*answer, "decline") || fuzz::has(*answer, "declined");
    if (is_no) fuzz::require(!before.moved_to(after), "a no moves nothing");
    if (fuzz::has(*answer, "replayed")) {
      fuzz::require(!before.moved_to(after), "what was answered before moves nothing again");
    }
  }

  rpc::v1::Request request_of(std::string_view line) {
    rpc::v1::Request request = script_.request(line, ++calls_);
    if (!request.method().ends_with("/SetFault")) return request;
    v1::SetFaultRequest fault;
    if (!fault.ParseFromString(request.body())) return request;
    fault.set_delay_ms(std::min(fault.delay_ms(), delay_ms_max));
    request.set_body(fault.SerializeAsString());
    return request;
  }
  void send(const rpc::v1::Request& request) {
    if (peer_->is_over) connect();
    asked_.insert(request.id());
    if (request.method().ends_with("/InsertCard")) inserting_.insert(request.id());
    peer_->send(request);
  }
  std::vector<rpc::v1::Response> take_replies() {
    std::vector<rpc::v1::Response> replies = std::exchange(peer_->replies, {});
    for (const rpc::v1::Response& response : replies) {
      asked_.erase(response.id());
      v1::InsertCardResponse inserted;
      if (inserting_.erase(response.id()) == 0) continue;
      if (inserted.ParseFromString(response.body()) && inserted.has_session()) {
        script_.token = inserted.session().session_id();
      }
    }
    return replies;
  }
  // Nothing is under way, so what changes now is the next request's doing.
  bool is_quiet() {
    take_replies();
    const auto is_well = [](const auto& mood) { return mood.second == Mood::well; };
    return asked_.empty() && house_.atm->terminals().begin()->second->work().size() == 0 &&
           house_.open_items().empty() && std::ranges::all_of(house_.bank.moods, is_well);
  }

  void restart() {
    peer_.reset();
    house_.restart();
    connect();
  }
  void connect() {
    peer_.reset();
    peer_.emplace(house_.loop, *house_.server);
    asked_.clear();
    inserting_.clear();
  }
  void change_mood(std::string_view what) {
    const std::size_t blank = std::min(what.find(' '), what.size());
    const std::string method(what.substr(0, blank));
    const std::string_view mood = what.substr(std::min(blank + 1, what.size()));
    house_.bank.moods.erase(method);
    if (mood == "silent") house_.bank.moods[method] = Mood::silent;
    if (mood == "lost") house_.bank.moods[method] = Mood::reply_lost;
  }
  void end_faults() {
    house_.bank.moods.clear();
    house_.disk.free = 1ULL << 40U;
    house_.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_NONE);
    house_.set_fault(v1::DEVICE_ACCEPTOR, v1::FAULT_NONE);
  }
  // The operator knows what the devices did, from the camera.
  void decide() {
    for (const Withdrawal& each : house_.journal->read<Withdrawal>()) {
      const auto hold = house_.bank.state.holds.find(std::string(each.hold_id.view()));
      if (hold == house_.bank.state.holds.end()) continue;
      const Told<Dispensed> told = house_.run(house_.dispenser->presented(each.id));
      Cents paid{0};
      if (told->acted) paid = notes_of(told->sure ? told->presented : each.plan).amount();
      house_.bank.decide(hold->second, std::string(terminal_name), paid.value);
    }
  }
  // What staff can see.
  std::string state() {
    v1::CountRequest count;
    count.set_terminal_id(std::string(terminal_name));
    const v1::CountResponse counted = house_.call(count_method, std::move(count));
    fuzz::require(counted.differences().empty(), "the devices hold what the books say");
    v1::GetDayTotalsRequest day;
    day.set_terminal_id(std::string(terminal_name));
    const v1::GetDayTotalsResponse totals = house_.call(day_totals_method, std::move(day));
    return house_.terminal().DebugString() + house_.audit().DebugString() + counted.DebugString() +
           totals.DebugString();
  }

  AtmHouse house_;
  std::optional<fuzz::Peer> peer_;
  fuzz::Script script_;
  std::uint64_t calls_ = 0;
  std::set<std::uint64_t> asked_;      // Without an answer yet.
  std::set<std::uint64_t> inserting_;  // Those of them that begin a session.
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  google::protobuf::LogSilencer quiet;
  Play play;
  play.run(fuzz::text_of(data, size));
  return 0;
}
