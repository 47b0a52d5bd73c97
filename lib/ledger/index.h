#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "ledger/check.h"
#include "ledger/operation_id.h"

namespace ledger {

// What is left of a name or an id in an index: never 0. A name is looked up several times for every change, so it is read by the
// word. Names are the operator's own: nobody else can choose them so that they collide.
inline std::uint32_t index_tag(std::string_view name) {
  std::uint64_t hash = name.size() * 0x9e3779b97f4a7c15U;
  std::uint64_t word = 0;
  while (name.size() > sizeof word) {
    std::memcpy(&word, name.data(), sizeof word);
    hash = (hash ^ word) * 0xff51afd7ed558ccdU;
    hash ^= hash >> 32U;
    name.remove_prefix(sizeof word);
  }
  word = 0;
  std::memcpy(&word, name.data(), name.size());
  hash = (hash ^ word) * 0xc4ceb9fe1a85ec53U;
  return static_cast<std::uint32_t>((hash ^ (hash >> 29U)) >> 16U) | 1U;
}
// Drawn when the program starts. Ids are their callers' own choice: who knew how they are hashed could send a million that share a
// place. No order depends on the hash, so neither does anything that is decided.
extern const std::array<std::uint64_t, 2> index_key;
// Every bit depends on every bit of both halves, whatever the key. The product alone keeps ids that count up in step: for one key of
// twenty, thousands of them share a few dozen places.
inline std::uint64_t mixed(const OperationId& id) {
  std::uint64_t first = 0;
  std::uint64_t second = 0;
  std::memcpy(&first, id.bytes.data(), sizeof first);
  std::memcpy(&second, id.bytes.data() + sizeof first, sizeof second);
  __extension__ using Wide = unsigned __int128;
  const Wide product = static_cast<Wide>(first ^ index_key[0]) * (second ^ index_key[1]);
  std::uint64_t hash =
      static_cast<std::uint64_t>(product >> 64U) ^ static_cast<std::uint64_t>(product);
  hash ^= hash >> 32U;
  return hash * 0x9e3779b97f4a7c15U;
}
inline std::uint32_t index_tag(const OperationId& id) {
  return static_cast<std::uint32_t>(mixed(id) >> 32U) | 1U;
}

// From tags to numbers. What the tag was made of stays with its owner, who is asked whether number n is the one that is looked
// for: so a slot takes 8 bytes, and a miss touches one of them. Nothing is ever listed, so no order depends on the hash. One
// thread; copies share their slots until one is changed, as those of a SharedList do.
//
// Invariants: at most half of the slots are taken; between a tag's own place and where it stands no slot is empty.
class NumberIndex {
 public:
  NumberIndex() = default;
  NumberIndex(const NumberIndex& other)
      : slots_(other.slots_), slot_count_(other.slot_count_), is_own_(false), size_(other.size_) {
    other.is_own_ = false;
  }
  NumberIndex& operator=(const NumberIndex& other) { return *this = NumberIndex(other); }
  NumberIndex(NumberIndex&&) noexcept = default;
  NumberIndex& operator=(NumberIndex&&) noexcept = default;
  ~NumberIndex() = default;

  template <typename IsIt>
  std::optional<std::uint32_t> find(std::uint32_t tag, IsIt&& is_it) const {
    if (slot_count_ == 0) return std::nullopt;
    const Slot* const slots = slots_.get();
    for (std::size_t place = home(tag); slots[place].tag != 0; place = (place + 1) & mask()) {
      const Slot& slot = slots[place];
      if (slot.tag == tag && is_it(slot.number)) return slot.number;
    }
    return std::nullopt;
  }

  // The tag will be looked for, or inserted, soon: its slot is fetched meanwhile.
  void prefetch(std::uint32_t tag) const {
    if (slot_count_ != 0) __builtin_prefetch(slots_.get() + home(tag));
  }
  // What is likely to be found under a tag, for who only wants to fetch it.
  std::optional<std::uint32_t> guess(std::uint32_t tag) const {
    if (slot_count_ == 0) return std::nullopt;
    const Slot& slot = slots_.get()[home(tag)];
    return slot.tag == tag ? std::optional(slot.number) : std::nullopt;
  }

  // So many will be in here: it does not grow until then.
  void reserve(std::size_t count) {
    if (2 * count > slot_count_) move_to(std::bit_ceil(std::max(slot_count_min, 2 * count)));
  }

  // The number is not there yet.
  void insert(std::uint32_t tag, std::uint32_t number) {
    if (2 * (size_ + 1) > slot_count_) {
      move_to(std::max(slot_count_min, 2 * slot_count_));
    } else if (!is_own_) {
      move_to(slot_count_);
    }
    place(Slot{tag, number});
    ++size_;
  }

  // The number is there, under this tag.
  void erase(std::uint32_t tag, std::uint32_t number) {
    if (!is_own_) move_to(slot_count_);
    Slot* const slots = slots_.get();
    std::size_t hole = home(tag);
    while (slots[hole].tag != tag || slots[hole].number != number) {
      check(slots[hole].tag != 0);
      hole = (hole + 1) & mask();
    }
    // Whoever stands behind the hole and came from before it moves up, so that no search stops too early.
    for (std::size_t next = (hole + 1) & mask(); slots[next].tag != 0; next = (next + 1) & mask()) {
      const std::size_t from_home = (next - home(slots[next].tag)) & mask();
      const std::size_t from_hole = (next - hole) & mask();
      if (from_home < from_hole) continue;
      slots[hole] = slots[next];
      hole = next;
    }
    slots[hole] = Slot();
    --size_;
  }

  std::size_t size() const { return size_; }

 private:
  struct Slot {
    std::uint32_t tag = 0;  // 0: the slot is empty.
    std::uint32_t number = 0;
  };
  static constexpr std::size_t slot_count_min = 64;

  std::size_t home(std::uint32_t tag) const { return (tag >> 1U) & mask(); }
  std::size_t mask() const { return slot_count_ - 1; }
  void place(Slot slot) {
    Slot* const slots = slots_.get();
    std::size_t place = home(slot.tag);
    while (slots[place].tag != 0) place = (place + 1) & mask();
    slots[place] = slot;
  }
  // To slots of its own: a power of two.
  void move_to(std::size_t slot_count) {
    const std::shared_ptr<Slot[]> before =
        std::exchange(slots_, std::make_shared<Slot[]>(slot_count));
    const std::size_t count_before = std::exchange(slot_count_, slot_count);
    is_own_ = true;
    for (const Slot& slot : std::span(before.get(), count_before)) {
      if (slot.tag != 0) place(slot);
    }
  }

  std::shared_ptr<Slot[]> slots_;
  std::size_t slot_count_ = 0;
  mutable bool is_own_ = true;  // No copy has these slots. Whoever is copied loses them.
  std::size_t size_ = 0;
};

// From operation ids to numbers, with removal. Never listed. One thread.
//
// Invariants: at most half of the slots are taken; between an id's own place and where it stands no
// slot is empty.
class IdIndex {
 public:
  std::optional<std::uint64_t> find(const OperationId& id) const {
    if (slots_.empty()) return std::nullopt;
    for (std::size_t place = home(id); slots_[place].taken(); place = (place + 1) & mask()) {
      if (slots_[place].id == id) return slots_[place].value_plus_one - 1;
    }
    return std::nullopt;
  }

  // The id is not there yet.
  void insert(const OperationId& id, std::uint64_t value) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    place(Slot{id, value + 1});
    ++size_;
  }

  // The id is there.
  void erase(const OperationId& id) {
    std::size_t hole = home(id);
    while (slots_[hole].id != id || !slots_[hole].taken()) {
      check(slots_[hole].taken());
      hole = (hole + 1) & mask();
    }
    // Whoever stands behind the hole and came from before it moves up, so that no search stops too
    // early.
    for (std::size_t next = (hole + 1) & mask(); slots_[next].taken(); next = (next + 1) & mask()) {
      const std::size_t from_home = (next - home(slots_[next].id)) & mask();
      const std::size_t from_hole = (next - hole) & mask();
      if (from_home < from_hole) continue;
      slots_[hole] = slots_[next];
      hole = next;
    }
    slots_[hole] = Slot();
    --size_;
  }

  std::size_t size() const { return size_; }

 private:
  struct Slot {
    OperationId id;
    std::uint64_t value_plus_one = 0;
    bool taken() const { return value_plus_one != 0; }
  };

  std::size_t home(const OperationId& id) const { return mixed(id) & mask(); }
  std::size_t mask() const { return slots_.size() - 1; }
  void place(const Slot& slot) {
    std::size_t place = home(slot.id);
    while (slots_[place].taken()) place = (place + 1) & mask();
    slots_[place] = slot;
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 64 : 2 * slots_.size());
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.taken()) place(slot);
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace ledger
