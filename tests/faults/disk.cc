#include "disk.h"

#include <algorithm>
#include <span>
#include <utility>

namespace sim {
namespace {

// What a disk writes whole or not at all.
constexpr std::size_t sector_size = 512;

void put(std::string& to, std::size_t offset, std::string_view bytes) {
  if (to.size() < offset + bytes.size()) to.resize(offset + bytes.size());
  to.replace(offset, bytes.size(), bytes);
}

}  // namespace

void File::write(std::size_t offset, std::string_view bytes) {
  put(data_, offset, bytes);
  unsynced_.push_back({.offset = offset, .bytes = std::string(bytes)});
}

void File::truncate(std::size_t size) {
  data_.resize(size);
  unsynced_.push_back({.is_truncate = true, .offset = size, .bytes = {}});
}

void File::sync() {
  for (const Change& change : unsynced_) apply(change, synced_);
  unsynced_.clear();
}

void File::apply(const Change& change, std::string& to) {
  if (change.is_truncate) {
    to.resize(change.offset);
  } else {
    put(to, change.offset, change.bytes);
  }
}

void File::scatter(const Change& change, bool garbles, async::Random& random, std::string& to) {
  if (change.is_truncate) {
    if (random.below(2) == 0) apply(change, to);
    return;
  }
  for (std::size_t begin = 0; begin < change.bytes.size();) {
    const std::size_t offset = change.offset + begin;
    const std::size_t size =
        std::min(change.bytes.size() - begin, sector_size - offset % sector_size);
    const std::uint64_t fate = random.below(garbles ? 3 : 2);
    if (fate == 0) put(to, offset, std::string_view(change.bytes).substr(begin, size));
    if (fate == 2) {
      std::string noise(size, '\0');
      random.fill(std::as_writable_bytes(std::span(noise)));
      put(to, offset, noise);
    }
    begin += size;
  }
}

std::string File::survivors(Loss loss, async::Random& random) const {
  if (loss == Loss::nothing) return data_;
  std::string left = synced_;
  if (loss == Loss::all || unsynced_.empty()) return left;
  if (loss == Loss::tail) {
    const std::size_t whole = random.below(unsynced_.size());
    for (std::size_t i = 0; i < whole; ++i) apply(unsynced_[i], left);
    Change torn = unsynced_[whole];
    torn.bytes.resize(torn.bytes.size() - random.below(torn.bytes.size() + 1));
    if (!torn.is_truncate && !torn.bytes.empty()) apply(torn, left);
    return left;
  }
  for (const Change& change : unsynced_) scatter(change, loss == Loss::garbled, random, left);
  return left;
}

std::shared_ptr<File> File::of(std::string bytes) {
  auto file = std::make_shared<File>();
  file->data_ = bytes;
  file->synced_ = std::move(bytes);
  return file;
}

std::shared_ptr<File> Disk::open(const std::string& name, bool creates) {
  if (!is_on_) return nullptr;
  const auto found = files_.find(name);
  if (found != files_.end()) return found->second;
  if (!creates) return nullptr;
  return files_[name] = std::make_shared<File>();
}

bool Disk::remove(const std::string& name) { return is_on_ && files_.erase(name) > 0; }

bool Disk::may_change() {
  had_trouble_ = had_trouble_ || !is_on_;
  if (!is_on_) return false;
  ++operations_;
  if (trouble_ == Trouble::none || operations_ < trouble_at_) return true;
  had_trouble_ = true;
  if (trouble_ == Trouble::power) is_on_ = false;
  if (!sticky_) trouble_ = Trouble::none;
  return false;
}

void Disk::plan(Trouble trouble, std::uint64_t operations, bool sticky) {
  trouble_ = trouble;
  trouble_at_ = operations_ + operations + 1;
  sticky_ = sticky;
}

void Disk::fail_reads(std::optional<std::uint64_t> after) {
  reads_until_ = after ? reads_ + *after : UINT64_MAX;
}

std::map<std::string, std::string> Disk::survivors(Loss loss, async::Random& random) const {
  std::map<std::string, std::string> left;
  for (const auto& [name, file] : files_) left[name] = file->survivors(loss, random);
  return left;
}

void Disk::restore(const std::map<std::string, std::string>& contents) {
  files_.clear();
  for (const auto& [name, bytes] : contents) files_[name] = File::of(bytes);
  trouble_ = Trouble::none;
  is_on_ = true;
  had_trouble_ = false;
}

void Disk::power_on(Loss loss, async::Random& random) { restore(survivors(loss, random)); }

}  // namespace sim
