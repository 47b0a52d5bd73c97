// micro: how long the cores take. `micro --help` has Google Benchmark's options.
#include <benchmark/benchmark.h>
#include <malloc.h>
#include <memory>
#include <string>
#include <vector>

#include "bench/micro/cores.h"
#include "ledger/memory.h"

namespace {

// A kilobyte of memory that the process never had, asked for and written.
void first_touch(benchmark::State& state, bool expected) {
  constexpr std::size_t blocks_max = 8'192;
  std::vector<std::unique_ptr<std::byte[]>> blocks;
  blocks.reserve(blocks_max);
  for (auto each : state) {
    if (expected) ledger::expect_memory(blocks_max * 1'024);
    for (std::size_t count = 0; count < blocks_max; ++count) {
      blocks.push_back(std::make_unique<std::byte[]>(1'000));
    }
    state.PauseTiming();
    blocks.clear();
    malloc_trim(0);
    state.ResumeTiming();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(blocks_max));
}

}  // namespace

int main(int argc, char** argv) {
  ledger::arrange_heap();  // As bankd does.
  for (const auto& cores : {bench::wire_cores(), bench::ledger_cores(), bench::request_cores()}) {
    for (const bench::Core& core : cores) {
      benchmark::RegisterBenchmark(std::string(core.name).c_str(),
                                   [&core](benchmark::State& state) {
                                     constexpr std::int64_t chunk = 512;
                                     const std::unique_ptr<bench::Work> work = core.make();
                                     for (auto each : state) work->run(chunk);
                                     state.SetItemsProcessed(state.iterations() * chunk);
                                     state.SetLabel(std::string(core.what));
                                   });
    }
  }
  benchmark::RegisterBenchmark("memory/as-it-comes", first_touch, false);
  benchmark::RegisterBenchmark("memory/expected", first_touch, true);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
