// Who guards the guard: the oracle finds each of these bugs within a few hundred seeds, and none in the parts that are shipped.
#include <array>
#include <filesystem>
#include <functional>
#include <ostream>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "planted.h"
#include "simulation.h"
#include "temporary_folder.h"

namespace sim {
namespace {

template <typename J>
Parts with_bank_journal() {
  Parts parts;
  parts.bank_journal = [](const std::string& path) { return std::make_unique<J>(path); };
  return parts;
}
template <typename J>
Parts with_atm_journal() {
  Parts parts;
  parts.atm_journal = [](const std::string& folder) { return std::make_shared<J>(folder); };
  return parts;
}
template <typename D>
Parts with_dispenser() {
  Parts parts;
  parts.dispenser = [](NodeLoop& loop, DispenserWorld& world) {
    return std::make_unique<D>(loop, world);
  };
  return parts;
}
Parts with_believed_acceptor() {
  Parts parts;
  parts.acceptor = [](NodeLoop& loop, AcceptorWorld& world) {
    return std::make_unique<BelievedAcceptor>(loop, world);
  };
  return parts;
}
template <typename T, typename Change>
Parts with_client(std::string method, Change change) {
  Parts parts;
  parts.bank_client = client_that<T>(std::move(method), change);
  return parts;
}

struct Planted {
  const char* name;
  std::function<Parts()> parts;
};
std::ostream& operator<<(std::ostream& out, const Planted& planted) { return out << planted.name; }

const Planted planted_bugs[] = {
    {"AnswersLeaveBeforeTheCommit", [] { return with_bank_journal<LateJournal>(); }},
    {"IdsAreForgottenOnRestart", [] { return with_bank_journal<ForgetfulJournal>(); }},
    {"ABatchIsLost", [] { return with_bank_journal<LossyJournal>(); }},
    {"TheJournalIsOneCentOff", [] { return with_bank_journal<WrongJournal>(); }},
    {"NotesMoveBeforeItIsWrittenDown", [] { return with_atm_journal<LateAtmJournal>(); }},
    {"AHoldIsSentBeforeItIsWrittenDown",
     [] { return with_atm_journal<AtmJournalWithoutRequests>(); }},
    {"TheDispenserForgets", [] { return with_dispenser<ForgetfulDispenser>(); }},
    {"TheDispenserBoasts", [] { return with_dispenser<BoastfulDispenser>(); }},
    {"TheDispenserGivesOneNoteMore", [] { return with_dispenser<GenerousDispenser>(); }},
    {"NotesCountAsKeptBeforeTheAcceptorHasSaidSo", [] { return with_believed_acceptor(); }},
    {"AHoldOfUnknownOutcomeIsTakenForMade", [] { return client_that_takes_unknown("Hold", 1); }},
    {"ADepositOfUnknownOutcomeIsGivenBack", [] { return client_that_takes_unknown("Deposit", 2); }},
    {"ASuspensionIsNotToldAgain",
     [] { return client_that_suspends_once(with_dispenser<UnsureDispenser>()); }},
    {"ACaptureIsSentAgainWithAnotherId",
     [] {
       return with_client<wire::CaptureRequest>("Capture", [](wire::CaptureRequest& capture) {
         capture.set_id(another_id(capture.id()));
         return true;
       });
     }},
    {"ARetriedCaptureHasAnotherId",
     [] {
       return with_client<wire::CaptureRequest>("Capture", [](wire::CaptureRequest& capture) {
         capture.set_id(another_id(capture.id()));
         return false;
       });
     }},
    {"ADepositIsSentAgainWithAnotherId",
     [] {
       return with_client<wire::DepositRequest>("Deposit", [](wire::DepositRequest& deposit) {
         deposit.set_id(another_id(deposit.id()));
         return true;
       });
     }},
    {"AVoidIsForAnotherHold",
     [] {
       return with_client<wire::VoidRequest>("Void", [](wire::VoidRequest& release) {
         release.set_hold_id(another_id(release.hold_id()));
         return false;
       });
     }},
    {"ACaptureIsOneEuroShort",
     [] {
       return with_client<wire::CaptureRequest>("Capture", [](wire::CaptureRequest& capture) {
         capture.mutable_amount()->set_minor_units(capture.amount().minor_units() - 100);
         return false;
       });
     }},
};

class PlantedBugTest : public testing::TestWithParam<Planted> {};

// Runs seeds until one breaks a promise. In a process of its own, because a check in the shipped code may find the bug first.
std::string first_broken(const Parts& parts) {
  constexpr std::uint64_t seeds_max = 400;
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) return "";
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    const TemporaryFolder folder;
    const RunOptions options{.parts = parts};
    for (std::uint64_t seed = 1; seed <= seeds_max; ++seed) {
      const auto run = simulate(seed, folder.path(), options);
      if (!run.broken) continue;
      fmt::print(stderr, "seed {}: {}", seed, *run.broken);
      break;
    }
    std::filesystem::remove_all(folder.path());
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string said;
  std::array<char, 512> buffer{};
  for (ssize_t size = 0; (size = ::read(ends[0], buffer.data(), buffer.size())) > 0;) {
    said.append(buffer.data(), static_cast<std::size_t>(size));
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return said;
}

TEST_P(PlantedBugTest, IsFound) {
  const std::string broken = first_broken(GetParam().parts());
  EXPECT_NE(broken, "") << "no seed of 400 broke a promise";
  fmt::print("{}\n", broken);
}

INSTANTIATE_TEST_SUITE_P(Planted, PlantedBugTest, testing::ValuesIn(planted_bugs),
                         [](const auto& planted) { return std::string(planted.param.name); });

TEST(SimulationTest, TheSamePartsKeepEveryPromiseOnTheSameSeeds) {
  const TemporaryFolder folder;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const auto run = simulate(seed, folder.path());
    EXPECT_FALSE(run.broken.has_value()) << "seed " << seed << ": " << *run.broken;
  }
}

TEST(SimulationTest, OneSeedIsOneStory) {
  const TemporaryFolder folder;
  const TemporaryFolder elsewhere;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto first = simulate(seed, folder.path(), {.keeps_story = true});
    const auto second = simulate(seed, elsewhere.path(), {.keeps_story = true});
    EXPECT_EQ(first.digest, second.digest) << "seed " << seed;
    EXPECT_EQ(first.story, second.story) << "seed " << seed;
    EXPECT_FALSE(first.story.empty());
  }
}

TEST(SimulationTest, SeedsDiffer) {
  const TemporaryFolder folder;
  EXPECT_NE(simulate(1, folder.path()).digest, simulate(2, folder.path()).digest);
}

}  // namespace
}  // namespace sim
