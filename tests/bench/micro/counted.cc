// counted: does one core so many times, for something that counts its instructions.
//
//   counted          lists the cores
//   counted NAME N
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

#include "bench/micro/cores.h"
#include "ledger/memory.h"

int main(int argc, char** argv) {
  ledger::arrange_heap();  // As bankd does.
  const std::string_view wanted = argc == 3 ? argv[1] : "";
  for (const auto& cores : {bench::wire_cores(), bench::ledger_cores(), bench::request_cores()}) {
    for (const bench::Core& core : cores) {
      if (argc == 1) std::printf("%s\n", core.name.data());
      if (core.name != wanted) continue;
      const std::unique_ptr<bench::Work> work = core.make();
      work->run(static_cast<std::size_t>(std::atol(argv[2])));
      return 0;
    }
  }
  return argc == 1 ? 0 : 64;
}
