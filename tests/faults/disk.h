// Disk: files that remember what of them a power cut would leave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "async/random.h"

namespace sim {

// What a crash does to writes that were never synced.
enum class Loss : std::uint8_t {
  nothing,    // kill -9: the kernel has them all.
  all,        // Power cut: none reached the disk.
  tail,       // A beginning of them did; the last of it is torn within.
  scattered,  // Any of their sectors did, in any order.
  garbled,    // As scattered, and some sectors hold noise.
};

// One file, as programs see it and as the platters have it. Shared by the disk and by whoever has it open; after a crash the
// disk has another in its place, so what a dead process still writes goes nowhere.
class File {
 public:
  std::string_view data() const { return data_; }
  void write(std::size_t offset, std::string_view bytes);
  void truncate(std::size_t size);
  void sync();
  bool has_unsynced() const { return !unsynced_.empty(); }

  // What a crash leaves.
  std::string survivors(Loss loss, async::Random& random) const;
  // Now both as programs see it and on the platters.
  static std::shared_ptr<File> of(std::string bytes);

  // SQLite's shared memory and locks, which no crash survives.
  struct Sharing;
  std::shared_ptr<Sharing> sharing;

 private:
  struct Change {
    bool is_truncate = false;
    std::size_t offset = 0;  // Or the size that it was cut to.
    std::string bytes;
  };
  static void apply(const Change& change, std::string& to);
  static void scatter(const Change& change, bool garbles, async::Random& random, std::string& to);

  std::string data_;
  std::string synced_;
  std::vector<Change> unsynced_;  // In the order in which they were made.
};

// A machine's disk. Counts writes and syncs, and can break or lose power at any of them. One thread.
//
// Always true: while it is off, every operation fails; what was made durable before is there when it is on again.
class Disk {
 public:
  enum class Trouble : std::uint8_t { none, error, power };

  // From SQLite.
  std::shared_ptr<File> open(const std::string& name, bool creates);
  bool remove(const std::string& name);
  // Before each write, truncate and sync: may it be done?
  bool may_change();

  // The next trouble comes at the operation after `operations` more of them. An error comes once, or at every one from there.
  void plan(Trouble trouble, std::uint64_t operations, bool sticky = false);
  std::uint64_t operations() const { return operations_; }
  // From SQLite, before each read: may it be done?
  bool may_read() { return reads_++ < reads_until_; }
  // Every read fails after so many more of them; none does without a number.
  void fail_reads(std::optional<std::uint64_t> after);
  std::uint64_t reads() const { return reads_; }
  bool is_on() const { return is_on_; }
  // An operation was refused since the power came last.
  bool had_trouble() const { return had_trouble_; }
  void power_off() { is_on_ = false; }
  // Everybody who used it is gone.
  void power_on(Loss loss, async::Random& random);
  // Another disk with the same durable bytes as this one would have after such a crash.
  std::map<std::string, std::string> survivors(Loss loss, async::Random& random) const;
  void restore(const std::map<std::string, std::string>& contents);
  // Syncs that are told as done and are not: a disk that lies.
  bool ignores_syncs = false;
  // Called before what was written becomes durable.
  std::function<void()> before_sync;

 private:
  std::map<std::string, std::shared_ptr<File>> files_;
  std::uint64_t operations_ = 0;
  std::uint64_t trouble_at_ = 0;
  std::uint64_t reads_ = 0;
  std::uint64_t reads_until_ = UINT64_MAX;
  Trouble trouble_ = Trouble::none;
  bool sticky_ = false;
  bool is_on_ = true;
  bool had_trouble_ = false;
};

// Puts `disk` where every path begins with `folder`, for all of SQLite in this process, until it is destroyed. The folder
// really exists, and so do empty files with the names of databases and WALs: code that looks before it opens finds them.
class Mount {
 public:
  Mount(std::string folder, Disk& disk);
  Mount(const Mount&) = delete;
  Mount& operator=(const Mount&) = delete;
  ~Mount();
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
};

}  // namespace sim
