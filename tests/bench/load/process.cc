#include "bench/load/process.h"

#include <filesystem>
#include <fstream>
#include <sched.h>
#include <sstream>
#include <string>

namespace load {

Usage usage_of(int pid) {
  const std::filesystem::path process = "/proc/" + std::to_string(pid);
  Usage usage;
  std::error_code gone;
  for (const auto& thread : std::filesystem::directory_iterator(process / "task", gone)) {
    std::uint64_t ran = 0;
    if (std::ifstream(thread.path() / "schedstat") >> ran) usage.cpu_ns += ran;
  }
  std::ifstream status(process / "status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) std::istringstream(line.substr(6)) >> usage.rss_kib;
  }
  return usage;
}

MachineTime machine_time() {
  std::ifstream stat("/proc/stat");
  std::string name;
  stat >> name;
  MachineTime time;
  std::uint64_t ticks = 0;
  for (int column = 0; column < 8 && stat >> ticks; ++column) {
    time.all += ticks;
    if (column == 7) time.stolen = ticks;
  }
  return time;
}

void run_on(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<unsigned>(cpu), &set);
  sched_setaffinity(0, sizeof set, &set);
}

}  // namespace load
