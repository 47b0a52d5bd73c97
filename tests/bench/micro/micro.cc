// micro: how long the cores take. `micro --help` has Google Benchmark's options.
#include <benchmark/benchmark.h>
#include <memory>
#include <string>

#include "bench/micro/cores.h"

int main(int argc, char** argv) {
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
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
