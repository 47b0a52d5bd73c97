// Frames: a 2-byte length in network byte order, then that many bytes of one protobuf message
// (proto/FRAMING.md). No I/O here.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <google/protobuf/message_lite.h>

#include "async/check.h"

namespace rpc {

inline constexpr std::size_t frame_header_size = 2;
inline constexpr std::size_t frame_body_size_max = 65'535;
static_assert(frame_body_size_max == UINT16_MAX, "The length has two bytes.");

// One frame that was cut from the stream.
struct Frame {
  // Valid during the call that hands it out. Empty for a frame of length 0 and for one that is too
  // long.
  std::span<const std::byte> body;
  // True: longer than the reader takes. Its bytes are being skipped.
  bool oversize = false;
};

// Cuts a byte stream into frames. Does no I/O and owns no read buffer: what was read is lent to it
// for a call, and it keeps only the part of a frame that the call ended with.
//
// Invariant: partial_ is empty, or the beginning of exactly one frame; while bytes are skipped it
// is empty.
class FrameReader {
 public:
  explicit FrameReader(std::size_t body_size_max = frame_body_size_max)
      : body_size_max_(body_size_max) {}

  // Hands each frame that `bytes` completes to `on_frame`, in order, while that returns true. Returns
  // how many of the bytes were used: all of them, unless `on_frame` returned false.
  template <std::predicate<const Frame&> OnFrame>
  std::size_t feed(std::span<const std::byte> bytes, OnFrame&& on_frame);

  // True: the stream stands in the middle of a frame.
  bool is_partial() const noexcept { return !partial_.empty() || skip_left_ > 0; }

 private:
  static std::size_t length_at(const std::byte* header) noexcept {
    return (std::to_integer<std::size_t>(header[0]) << 8) | std::to_integer<std::size_t>(header[1]);
  }
  // Moves bytes over until partial_ has `size`; true when it has.
  bool fill(std::span<const std::byte> bytes, std::size_t& used, std::size_t size);

  std::size_t body_size_max_;
  std::size_t skip_left_ = 0;
  std::vector<std::byte> partial_;
};

// Appends the message as one frame, serialised in place. False, and nothing is appended: it does
// not fit.
bool append_frame(std::string& buffer, const google::protobuf::MessageLite& message);

// Appends a frame's header for a body of `body_size` bytes and room for the body, and returns
// the body's place. `body_size` fits.
std::uint8_t* append_frame_space(std::string& buffer, std::size_t body_size);

inline bool FrameReader::fill(std::span<const std::byte> bytes, std::size_t& used,
                              std::size_t size) {
  if (partial_.size() >= size) return true;
  const std::size_t taken = std::min(size - partial_.size(), bytes.size() - used);
  partial_.reserve(size);
  partial_.insert(partial_.end(), bytes.begin() + static_cast<std::ptrdiff_t>(used),
                  bytes.begin() + static_cast<std::ptrdiff_t>(used + taken));
  used += taken;
  return partial_.size() == size;
}

template <std::predicate<const Frame&> OnFrame>
std::size_t FrameReader::feed(std::span<const std::byte> bytes, OnFrame&& on_frame) {
  std::size_t used = 0;
  while (true) {
    const std::size_t skipped = std::min(skip_left_, bytes.size() - used);
    skip_left_ -= skipped;
    used += skipped;

    // The common case, without copying: the frame lies whole in `bytes`.
    const std::size_t left = bytes.size() - used;
    if (partial_.empty() && left >= frame_header_size) {
      const std::byte* const header = bytes.data() + used;
      const std::size_t length = length_at(header);
      if (length <= body_size_max_ && left - frame_header_size >= length) {
        used += frame_header_size + length;
        const Frame frame{.body = {header + frame_header_size, length}};
        if (!on_frame(frame)) return used;
        continue;
      }
    }

    if (left == 0) return used;
    if (!fill(bytes, used, frame_header_size)) return used;
    const std::size_t length = length_at(partial_.data());
    if (length > body_size_max_) {
      partial_ = {};
      skip_left_ = length;
      const Frame frame{.body = {}, .oversize = true};
      if (!on_frame(frame)) return used;
      continue;
    }
    if (!fill(bytes, used, frame_header_size + length)) return used;
    // Given back at once: an idle connection keeps no buffer.
    const std::vector<std::byte> whole = std::move(partial_);
    partial_ = {};
    const Frame frame{.body = std::span(whole).subspan(frame_header_size)};
    if (!on_frame(frame)) return used;
  }
}

}  // namespace rpc
