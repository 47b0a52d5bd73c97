// simulate: runs the pair through many seeds' faults, and tells the story of one that broke a promise.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "simulation.h"

namespace {

struct Options {
  std::uint64_t from = 1;
  std::uint64_t seeds = 0;
  std::uint64_t jobs = 1;
  bool tells = false;
  bool digests = false;
};

// What the processes share: a seed in hand for each, and what was found.
struct Board {
  static constexpr std::size_t jobs_max = 64;
  std::uint64_t seed_in_hand[jobs_max];
  std::uint64_t done[jobs_max];
  sim::Tally tally[jobs_max];
  std::uint64_t broken[jobs_max];
};

std::string make_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "simulate-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) {
    std::perror("simulate: cannot make a folder");
    std::exit(73);
  }
  return name;
}

void tell(const sim::Run& run) {
  for (const std::string& line : run.story) fmt::print("{}\n", line);
  if (run.broken) {
    fmt::print("seed {} breaks a promise: {}\n", run.seed, *run.broken);
  } else {
    fmt::print("seed {} keeps every promise\n", run.seed);
  }
}

// One process's share: every jobs-th seed.
void work(const Options& options, std::uint64_t job, Board& board) {
  const std::string folder = make_folder();
  for (std::uint64_t i = job; i < options.seeds; i += options.jobs) {
    const std::uint64_t seed = options.from + i;
    board.seed_in_hand[job] = seed;
    const sim::Run run = sim::simulate(seed, folder, {.keeps_story = options.tells});
    if (options.digests) fmt::print("{} {:016x}\n", seed, run.digest);
    if (options.tells) tell(run);
    board.tally[job] += run.tally;
    ++board.done[job];
    if (run.broken && !options.tells) {
      fmt::print("seed {} breaks a promise: {}\n", seed, *run.broken);
      ++board.broken[job];
    }
    std::fflush(stdout);
  }
  std::filesystem::remove_all(folder);
}

int usage() {
  fmt::print(stderr,
             "usage: simulate --seeds N [--from SEED] [--jobs N] [--digests]\n"
             "       simulate --seed SEED   tells that run's story\n");
  return 64;
}

int report(const Options& options, const Board& board, std::chrono::duration<double> took,
           const std::vector<std::uint64_t>& died) {
  sim::Tally sum;
  std::uint64_t done = 0;
  std::uint64_t broken = died.size();
  for (std::uint64_t job = 0; job < options.jobs; ++job) {
    sum += board.tally[job];
    done += board.done[job];
    broken += board.broken[job];
  }
  for (const std::uint64_t seed : died) {
    fmt::print("seed {} ends the process: a check failed\n", seed);
  }
  fmt::print(
      "{} seeds from {} in {:.1f} s ({:.0f} a minute): {} broke a promise\n"
      "{} kills, {} power cuts, {} disk errors, {} cuts and resets; {} withdrawals paid and {} "
      "not, {} in suspense, "
      "{} deposits, {} transfers, {} changes of PIN; {} terminals emptied, {} backups restored, {} "
      "journals of the ATM put back, {} odd answers; {} journal records, {} calls in histories\n",
      done, options.from, took.count(), 60.0 * static_cast<double>(done) / took.count(), broken,
      sum.crashes, sum.power_cuts, sum.disk_errors, sum.cuts, sum.paid, sum.declined, sum.suspended,
      sum.deposits, sum.transfers, sum.changes_of_pin, sum.emptyings, sum.restores, sum.rewinds,
      sum.odd_answers, sum.records, sum.observed);
  if (broken > 0) fmt::print("the story of a seed: tests/simulate --seed SEED\n");
  return broken == 0 ? 0 : 1;
}

int run(const Options& options) {
  void* const shared =
      mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  Board& board = *new (shared) Board();
  const auto begin = std::chrono::steady_clock::now();
  std::vector<pid_t> children;
  for (std::uint64_t job = 0; job < options.jobs; ++job) {
    const pid_t child = fork();
    if (child == 0) {
      work(options, job, board);
      std::fflush(stdout);
      _exit(0);
    }
    children.push_back(child);
  }
  std::vector<std::uint64_t> died;
  for (std::size_t job = 0; job < children.size(); ++job) {
    int status = 0;
    waitpid(children[job], &status, 0);
    if (status != 0) died.push_back(board.seed_in_hand[job]);
  }
  return report(options, board, std::chrono::steady_clock::now() - begin, died);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    const char* const value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (word == "--digests") {
      options.digests = true;
      continue;
    }
    if (value == nullptr) return usage();
    const std::uint64_t number = std::strtoull(value, nullptr, 10);
    ++i;
    if (word == "--seeds") {
      options.seeds = number;
    } else if (word == "--from") {
      options.from = number;
    } else if (word == "--jobs") {
      options.jobs = std::clamp<std::uint64_t>(number, 1, Board::jobs_max);
    } else if (word == "--seed") {
      options.from = number;
      options.seeds = 1;
      options.tells = true;
    } else {
      return usage();
    }
  }
  if (options.seeds == 0) return usage();
  return run(options);
}
