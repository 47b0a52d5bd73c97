#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "async/manual_loop.h"
#include "async/scope.h"
#include "atm/simulated_acceptor.h"
#include "atm/simulated_dispenser.h"
#include "temporary_directory.h"

namespace atm {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const Picks three_twenties = {{1, Cents{2000}, 3}};

OperationId id_of(std::uint8_t number) {
  OperationId id;
  id.bytes[15] = number;
  return id;
}

// What a test sees of the commits, and does to them.
struct Watch {
  std::vector<std::size_t> groups;  // How many acts each had.
  std::function<void()> while_writing = [] {};
  bool fails = false;
};

class WatchedFile final : public DeviceFile {
 public:
  WatchedFile(const fs::path& folder, Watch& watch) : DeviceFile(folder), watch_(watch) {}
  void change(std::span<Act> acts) override {
    if (watch_.fails) throw ledger::StorageError(ledger::StorageError::Kind::io, "the disk broke");
    watch_.groups.push_back(acts.size());
    std::exchange(watch_.while_writing, [] {})();
    DeviceFile::change(acts);
  }

 private:
  Watch& watch_;
};

class DevicesTest : public testing::Test {
 protected:
  DevicesTest() { restart(); }

  // As after a crash: what is left is the file.
  void restart() {
    second_dispenser.reset();
    dispenser.reset();
    acceptor.reset();
    world.reset();
    watch = {};
    world.emplace(loop, std::make_shared<WatchedFile>(folder_, watch));
    dispenser.emplace(loop, *world, "atm-1");
    acceptor.emplace(loop, *world, "atm-1");
    second_dispenser.emplace(loop, *world, "atm-2");
  }

  void load(std::uint32_t position, std::int64_t denomination, std::int64_t count) {
    const Pick notes{position, Cents{denomination * 100}, count};
    ASSERT_TRUE(loop.run(dispenser->load(id_of(200 + static_cast<std::uint8_t>(position)), notes)));
  }
  Dispensed dispense(std::uint8_t id, const Picks& picks) {
    return *loop.run(dispenser->dispense(id_of(id), picks));
  }
  Dispensed presented(std::uint8_t id) { return *loop.run(dispenser->presented(id_of(id))); }
  std::vector<Cassette> inside() { return loop.run(dispenser->count())->cassettes; }
  Notes rejected() { return loop.run(dispenser->count())->rejected; }

  static Task<> dispense_from(SimulatedDispenser* device, std::uint8_t id, bool* told) {
    co_await device->dispense(id_of(id), three_twenties);
    *told = true;
  }

  async::ManualLoop loop;
  Watch watch;
  std::optional<DeviceWorld> world;
  std::optional<SimulatedDispenser> dispenser;
  std::optional<SimulatedDispenser> second_dispenser;
  std::optional<SimulatedAcceptor> acceptor;

 private:
  const testkit::TemporaryDirectory kept_;
  fs::path folder_ = kept_.path();
};

TEST_F(DevicesTest, ADispenseMovesItsNotes) {
  load(1, 20, 10);
  EXPECT_EQ(dispense(1, three_twenties).presented, three_twenties);
  EXPECT_EQ(inside(), (std::vector<Cassette>{{1, Cents{2000}, 7}}));
}

TEST_F(DevicesTest, ADispenserActsOnceForAnId) {
  load(1, 20, 10);
  dispense(1, three_twenties);
  EXPECT_EQ(dispense(1, three_twenties).presented, three_twenties);
  EXPECT_EQ(inside().front().count, 7);
}

TEST_F(DevicesTest, ADispenserRemembersAcrossACrashWhatItPresented) {
  load(1, 20, 10);
  dispense(1, three_twenties);
  restart();
  EXPECT_TRUE(presented(1).acted);
  EXPECT_EQ(presented(1).presented, three_twenties);
  EXPECT_FALSE(presented(2).acted);
  EXPECT_EQ(inside().front().count, 7);
}

TEST_F(DevicesTest, AJamEndsTheDispenseAndTearsANote) {
  load(1, 20, 10);
  loop.run(dispenser->set_fault({.kind = FaultKind::jam, .after_notes = 2}));
  const Dispensed jammed = dispense(1, three_twenties);
  EXPECT_EQ(encoded(jammed.presented), "1:2000*2");
  EXPECT_EQ(encoded(jammed.rejected), "1:2000*1");
  EXPECT_EQ(inside().front().count, 7);
  EXPECT_EQ(rejected(), (Notes{{Cents{2000}, 1}}));
  EXPECT_EQ(dispense(2, three_twenties).presented, three_twenties) << "a jam comes once";
}

TEST_F(DevicesTest, AJamBeforeTheFirstNotePresentsNothing) {
  load(1, 20, 10);
  loop.run(dispenser->set_fault({.kind = FaultKind::jam}));
  const Dispensed jammed = dispense(1, three_twenties);
  EXPECT_TRUE(jammed.presented.empty());
  EXPECT_TRUE(jammed.sure);
}

TEST_F(DevicesTest, AJamCountsAcrossCassettes) {
  load(1, 20, 10);
  load(2, 50, 10);
  loop.run(dispenser->set_fault({.kind = FaultKind::jam, .after_notes = 3}));
  const Dispensed jammed = dispense(1, {{1, Cents{2000}, 2}, {2, Cents{5000}, 3}});
  EXPECT_EQ(encoded(jammed.presented), "1:2000*2 2:5000*1");
  EXPECT_EQ(encoded(jammed.rejected), "2:5000*1");
}

TEST_F(DevicesTest, ADispenserThatCannotSayStillPays) {
  load(1, 20, 10);
  loop.run(dispenser->set_fault({.kind = FaultKind::present_unknown}));
  EXPECT_FALSE(dispense(1, three_twenties).sure);
  EXPECT_EQ(inside().front().count, 7);
  restart();
  EXPECT_FALSE(presented(1).sure);
}

TEST_F(DevicesTest, ADeadDispenserDoesNothingAndSaysNothing) {
  load(1, 20, 10);
  loop.run(dispenser->set_fault({.kind = FaultKind::dead}));
  restart();
  EXPECT_TRUE(dispenser->out_of_order().has_value());
  EXPECT_FALSE(loop.run(dispenser->dispense(id_of(1), three_twenties)).has_value());
  EXPECT_FALSE(loop.run(dispenser->presented(id_of(1))).has_value());
  loop.run(dispenser->set_fault({}));
  EXPECT_FALSE(presented(1).acted);
  EXPECT_EQ(inside().front().count, 10);
}

TEST_F(DevicesTest, ASlowDispenserTakesItsTime) {
  load(1, 20, 10);
  loop.run(dispenser->set_fault({.kind = FaultKind::slow, .delay = 3000ms}));
  bool done = false;
  async::TaskScope scope(loop);
  scope.spawn(dispense_from(&*dispenser, 1, &done));
  loop.advance(2999ms);
  EXPECT_FALSE(done);
  EXPECT_EQ(inside().front().count, 10);
  loop.advance(1ms);
  EXPECT_TRUE(done);
}

TEST_F(DevicesTest, ACassetteThatIsEmptierThanBelievedEndsTheDispense) {
  load(1, 20, 2);
  EXPECT_EQ(encoded(dispense(1, three_twenties).presented), "1:2000*2");
}

TEST_F(DevicesTest, LoadingAndUnloadingHappenOncePerId) {
  load(1, 20, 10);
  load(1, 20, 10);
  EXPECT_EQ(inside().front().count, 10);
  const Notes all{{Cents{2000}, 10}};
  EXPECT_EQ(*loop.run(dispenser->unload(id_of(9))), all);
  EXPECT_TRUE(inside().empty());
  load(2, 50, 1);
  EXPECT_EQ(*loop.run(dispenser->unload(id_of(9))), all);
  EXPECT_EQ(inside().size(), 1U);
}

TEST_F(DevicesTest, ActsThatQueueWhileOthersAreWrittenAreOneCommit) {
  load(1, 20, 20);
  loop.run(second_dispenser->load(id_of(201), {1, Cents{2000}, 20}));
  watch.groups.clear();
  std::array<bool, 4> told{};
  async::TaskScope scope(loop);
  scope.spawn(dispense_from(&*dispenser, 1, &told[0]));
  watch.while_writing = [&] {
    scope.spawn(dispense_from(&*dispenser, 2, &told[1]));
    scope.spawn(dispense_from(&*second_dispenser, 3, &told[2]));
    scope.spawn(dispense_from(&*dispenser, 4, &told[3]));
  };
  loop.settle();
  EXPECT_EQ(watch.groups, (std::vector<std::size_t>{1, 3}));
  EXPECT_EQ(told, (std::array{true, true, true, true}));
  EXPECT_EQ(inside().front().count, 11);
}

TEST_F(DevicesTest, ActsHappenThoughNobodyWaitsAnyMore) {
  load(1, 20, 10);
  bool told = false;
  std::optional<async::TaskScope> customers(std::in_place, loop);
  customers->spawn(dispense_from(&*dispenser, 1, &told));
  watch.while_writing = [&] {
    customers->spawn(dispense_from(&*dispenser, 2, &told));
    customers.reset();
  };
  loop.settle();
  EXPECT_FALSE(told);
  EXPECT_TRUE(presented(1).acted);
  EXPECT_TRUE(presented(2).acted);
  EXPECT_EQ(inside().front().count, 4);
}

TEST_F(DevicesTest, WhenActsCannotBeWrittenNobodyGoesOn) {
  load(1, 20, 10);
  bool told = false;
  std::optional<async::TaskScope> customers(std::in_place, loop);
  watch.fails = true;
  customers->spawn(dispense_from(&*dispenser, 1, &told));
  EXPECT_THROW(loop.settle(), ledger::StorageError);
  watch.fails = false;
  customers->spawn(dispense_from(&*dispenser, 2, &told));
  loop.settle();
  EXPECT_FALSE(told);
  customers.reset();
  restart();
  EXPECT_FALSE(presented(1).acted);
  EXPECT_FALSE(presented(2).acted);
}

TEST_F(DevicesTest, TheDevicesOfTwoTerminalsDoNotMix) {
  load(1, 20, 10);
  loop.run(second_dispenser->load(id_of(201), {1, Cents{2000}, 5}));
  loop.run(second_dispenser->set_fault({.kind = FaultKind::present_unknown}));
  EXPECT_TRUE(dispense(1, three_twenties).sure);
  EXPECT_FALSE(loop.run(second_dispenser->presented(id_of(1)))->acted);
  EXPECT_FALSE(loop.run(second_dispenser->dispense(id_of(1), three_twenties))->sure);
  restart();
  EXPECT_TRUE(presented(1).sure);
  EXPECT_FALSE(loop.run(second_dispenser->presented(id_of(1)))->sure);
  EXPECT_EQ(inside(), (std::vector<Cassette>{{1, Cents{2000}, 7}}));
  EXPECT_EQ(loop.run(second_dispenser->count())->cassettes.front().count, 2);
  EXPECT_EQ(*loop.run(second_dispenser->unload(id_of(9))), (Notes{{Cents{2000}, 2}}));
  EXPECT_EQ(inside(), (std::vector<Cassette>{{1, Cents{2000}, 7}}));
}

const Notes two_fifties{{Cents{5000}, 2}};

TEST_F(DevicesTest, AcceptedNotesWaitInTheEscrowUntilTheyAreKept) {
  EXPECT_EQ(loop.run(acceptor->accept(id_of(1), two_fifties))->notes, two_fifties);
  restart();
  EXPECT_EQ(loop.run(acceptor->where(id_of(1)))->place, Place::escrow);
  EXPECT_EQ(loop.run(acceptor->count())->escrow_id, id_of(1));
  EXPECT_TRUE(loop.run(acceptor->count())->bin.empty());
  EXPECT_EQ(loop.run(acceptor->keep(id_of(1)))->place, Place::kept);
  EXPECT_EQ(loop.run(acceptor->count())->bin, two_fifties);
  EXPECT_EQ(loop.run(acceptor->give_back(id_of(1)))->place, Place::kept);
  EXPECT_EQ(loop.run(acceptor->count())->bin, two_fifties);
}

TEST_F(DevicesTest, NotesThatWereGivenBackStayGivenBack) {
  loop.run(acceptor->accept(id_of(1), two_fifties));
  EXPECT_EQ(loop.run(acceptor->give_back(id_of(1)))->place, Place::returned);
  EXPECT_EQ(loop.run(acceptor->keep(id_of(1)))->place, Place::returned);
  EXPECT_EQ(loop.run(acceptor->accept(id_of(1), two_fifties))->place, Place::returned);
  EXPECT_TRUE(loop.run(acceptor->count())->bin.empty());
}

TEST_F(DevicesTest, AnEscrowHoldsOneCustomersNotes) {
  loop.run(acceptor->accept(id_of(1), two_fifties));
  EXPECT_FALSE(loop.run(acceptor->accept(id_of(2), two_fifties)).has_value());
  loop.run(acceptor->keep(id_of(1)));
  EXPECT_TRUE(loop.run(acceptor->accept(id_of(2), two_fifties)).has_value());
}

TEST_F(DevicesTest, AnAcceptorThatJamsCountsWhatItTookIn) {
  loop.run(acceptor->set_fault({.kind = FaultKind::jam, .after_notes = 1}));
  EXPECT_EQ(loop.run(acceptor->accept(id_of(1), two_fifties))->notes, (Notes{{Cents{5000}, 1}}));
}

TEST_F(DevicesTest, AnAcceptorThatCannotSayTellsWhenItsFaultIsCleared) {
  loop.run(acceptor->accept(id_of(1), two_fifties));
  loop.run(acceptor->set_fault({.kind = FaultKind::present_unknown}));
  EXPECT_EQ(loop.run(acceptor->keep(id_of(1)))->place, Place::unknown);
  loop.run(acceptor->set_fault({}));
  EXPECT_EQ(loop.run(acceptor->where(id_of(1)))->place, Place::kept);
}

TEST_F(DevicesTest, TheBinIsEmptiedOncePerId) {
  loop.run(acceptor->accept(id_of(1), two_fifties));
  loop.run(acceptor->keep(id_of(1)));
  EXPECT_EQ(*loop.run(acceptor->unload(id_of(9))), two_fifties);
  EXPECT_EQ(*loop.run(acceptor->unload(id_of(9))), two_fifties);
  EXPECT_TRUE(loop.run(acceptor->unload(id_of(8)))->empty());
}

}  // namespace
}  // namespace atm
