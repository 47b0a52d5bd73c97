// What the kernel counts: a process's processor time and memory, and time that the machine was not
// given.
#pragma once

#include <cstdint>

namespace load {

struct Usage {
  std::uint64_t cpu_ns = 0;  // Of all threads there are.
  std::uint64_t rss_kib = 0;
};
Usage usage_of(int pid);

// Of all processors, in ticks.
struct MachineTime {
  std::uint64_t all = 0;
  std::uint64_t stolen = 0;
};
MachineTime machine_time();

// This process, from now on, on this core only.
void run_on(int cpu);

}  // namespace load
