// load: puts load on a bankd and measures it. See load --help.
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <sys/resource.h>
#include <vector>

#include "bench/load/generator.h"
#include "bench/load/options.h"
#include "bench/load/process.h"
#include "bench/load/session.h"

namespace {

using load::FlowResult;

double microseconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e3; }

void print_flow(const FlowResult& flow, double seconds, bool is_last) {
  const load::Histogram& took = flow.latency;
  std::printf("    {\"name\": \"%s\", \"done\": %" PRIu64 ", \"per_second\": %.1f,\n",
              flow.name.c_str(), flow.done, static_cast<double>(flow.done) / seconds);
  std::printf("     \"p50_us\": %.1f, \"p90_us\": %.1f, \"p99_us\": %.1f, \"p999_us\": %.1f,",
              microseconds(took.at(0.5)), microseconds(took.at(0.9)), microseconds(took.at(0.99)),
              microseconds(took.at(0.999)));
  std::printf(" \"max_us\": %.1f, \"mean_us\": %.1f,\n     \"refused\": %" PRIu64
              ", \"done_in_second\": [",
              microseconds(took.largest()), took.mean() / 1e3, flow.refused);
  for (std::size_t at = 0; at < flow.done_in_second.size(); ++at) {
    std::printf(at == 0 ? "%" PRIu64 : ", %" PRIu64, flow.done_in_second[at]);
  }
  std::printf("]}%s\n", is_last ? "" : ",");
}

void print_server(const load::Usage& before, const load::Usage& after, std::uint64_t done) {
  const auto cpu_us = static_cast<double>(after.cpu_ns - before.cpu_ns) / 1e3;
  std::printf(
      ",\n  \"server_cpu_us\": %.3f, \"server_cpu_us_each\": %.4f, \"server_rss_kib\": %" PRIu64,
      cpu_us, done == 0 ? 0.0 : cpu_us / static_cast<double>(done), after.rss_kib);
}

void allow_many_files() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

void write_down(const load::Generator& generator, const std::string& path) {
  std::ofstream file(path, std::ios::binary | std::ios::app);
  for (const load::Acknowledged& one : generator.acknowledged()) {
    file.write(reinterpret_cast<const char*>(&one), sizeof one);
  }
  if (!file.flush()) load::give_up("cannot write " + path);
}

// 0, or 1 when something was refused or the server went away that should have stayed.
int measure(const load::Options& options) {
  std::vector<load::CardTemplates> cards;
  if (!options.is_atm) cards = load::verify_cards(options);
  load::Generator generator(options, std::move(cards));
  const int server = options.server_pid.value_or(0);
  const bool warmed = generator.run(options.warm_up_seconds, false);
  const load::MachineTime machine_before = load::machine_time();
  const load::Usage before = load::usage_of(server);
  const bool stayed = warmed && generator.run(options.seconds, true);
  const load::Usage after = load::usage_of(server);
  const load::MachineTime machine = load::machine_time();
  if (!options.remember.empty()) write_down(generator, options.remember);

  std::uint64_t done = 0;
  std::uint64_t refused = 0;
  std::printf("{\"seconds\": %.3f, \"flows\": [\n", options.seconds);
  for (const FlowResult& flow : generator.results()) {
    done += flow.done;
    refused += flow.refused;
    print_flow(flow, options.seconds, &flow == &generator.results().back());
    if (flow.refused > 0) std::fprintf(stderr, "load: refused: %s\n", flow.refusal.c_str());
  }
  std::printf("  ]");
  if (options.server_pid && stayed) print_server(before, after, done);
  const auto ticks = static_cast<double>(machine.all - machine_before.all);
  std::printf(
      ",\n  \"steal_percent\": %.3f, \"server_stayed\": %s}\n",
      ticks > 0 ? 100.0 * static_cast<double>(machine.stolen - machine_before.stolen) / ticks : 0.0,
      stayed ? "true" : "false");
  return refused == 0 && (stayed || !options.remember.empty()) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const load::Options options = load::parse_options(argc, argv);
  allow_many_files();
  if (options.cpu) load::run_on(*options.cpu);
  if (!options.read_back.empty()) return load::read_back(options) ? 0 : 1;
  if (options.idle > 0) {
    load::measure_idle(options);
    return 0;
  }
  return measure(options);
}
