#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace ledger {

// A list that only grows, and whose copies share what none of them has changed since: a copy of a large bank takes hardly any time
// and memory. Each copy belongs to one thread, and a copy is made by the thread that the original belongs to.
//
// Always true: a block that was ever shared is never written, so the copies may be on different threads. The first change of one
// of its elements gives the list a block of its own; references into the old one end there.
template <typename Value>
class SharedList {
 public:
  using value_type = Value;
  class const_iterator;

  SharedList() = default;
  SharedList(const SharedList& other)
      : blocks_(other.blocks_), is_own_(other.blocks_.size(), false), size_(other.size_) {
    other.is_own_.assign(other.blocks_.size(), false);
  }
  SharedList& operator=(const SharedList& other) { return *this = SharedList(other); }
  SharedList(SharedList&&) noexcept = default;
  SharedList& operator=(SharedList&&) noexcept = default;
  ~SharedList() = default;

  std::size_t size() const { return size_; }
  const Value& operator[](std::size_t place) const {
    return (*blocks_[place / block_size])[place % block_size];
  }
  // To be changed.
  Value& at(std::size_t place) { return own_block(place / block_size)[place % block_size]; }

  void push_back(Value value) {
    if (size_ == block_size * blocks_.size()) {
      blocks_.push_back(std::make_shared<Block>());
      is_own_.push_back(true);
    }
    at(size_) = std::move(value);
    ++size_;
  }

  const_iterator begin() const { return const_iterator(*this, 0); }
  const_iterator end() const { return const_iterator(*this, size_); }

  friend bool operator==(const SharedList& a, const SharedList& b) {
    return std::ranges::equal(a, b);
  }

 private:
  static constexpr std::size_t block_size = 64;
  using Block = std::array<Value, block_size>;

  Block& own_block(std::size_t number) {
    if (!is_own_[number]) {
      blocks_[number] = std::make_shared<Block>(*blocks_[number]);
      is_own_[number] = true;
    }
    return *blocks_[number];
  }

  std::vector<std::shared_ptr<Block>> blocks_;
  // No copy has this block. Whoever is copied loses it.
  mutable std::vector<bool> is_own_;
  std::size_t size_ = 0;
};

template <typename Value>
class SharedList<Value>::const_iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = Value;
  using difference_type = std::ptrdiff_t;
  using pointer = const Value*;
  using reference = const Value&;

  const_iterator() = default;
  const_iterator(const SharedList& list, std::size_t place) : list_(&list), place_(place) {}

  reference operator*() const { return (*list_)[place_]; }
  pointer operator->() const { return &**this; }
  const_iterator& operator++() {
    ++place_;
    return *this;
  }
  const_iterator operator++(int) {
    const_iterator before = *this;
    ++place_;
    return before;
  }
  friend const_iterator operator+(const_iterator iterator, difference_type by) {
    iterator.place_ += static_cast<std::size_t>(by);
    return iterator;
  }
  friend difference_type operator-(const const_iterator& a, const const_iterator& b) {
    return static_cast<difference_type>(a.place_) - static_cast<difference_type>(b.place_);
  }
  friend bool operator==(const const_iterator& a, const const_iterator& b) {
    return a.place_ == b.place_;
  }

 private:
  const SharedList* list_ = nullptr;
  std::size_t place_ = 0;
};

}  // namespace ledger
