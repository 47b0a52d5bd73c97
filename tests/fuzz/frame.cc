// The frame reader gives the same frames however the stream is cut, and keeps less than it was fed.
//
// The first byte chooses the limit and the size of the slices.
#include "rpc/frame.h"

#include <string>
#include <vector>

#include "fuzz/require.h"

namespace {

struct Cut {
  std::string body;
  bool oversize = false;
  bool operator==(const Cut&) const = default;
};

std::vector<Cut> frames_of(std::span<const std::byte> bytes, std::size_t body_size_max,
                           std::size_t slice_size, bool stops) {
  std::vector<Cut> cuts;
  rpc::FrameReader reader(body_size_max);
  const auto keep = [&](const rpc::Frame& frame) {
    fuzz::require(frame.body.size() <= body_size_max, "a frame's body is within the limit");
    cuts.push_back(
        {std::string(reinterpret_cast<const char*>(frame.body.data()), frame.body.size()),
         frame.oversize});
    return !stops;
  };
  while (!bytes.empty()) {
    const auto slice = bytes.first(std::min(slice_size, bytes.size()));
    const std::size_t used = reader.feed(slice, keep);
    fuzz::require(stops || used == slice.size(), "a reader that is not stopped uses every byte");
    fuzz::require(used > 0 && used <= slice.size(), "a reader goes on");
    bytes = bytes.subspan(used);
  }
  return cuts;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t slice_size = 1 + data[0] % 16;
  const std::size_t body_size_max = data[0] >= 128 ? 64 : rpc::frame_body_size_max;
  const auto bytes = fuzz::bytes_of(data + 1, size - 1);
  const std::vector<Cut> whole = frames_of(bytes, body_size_max, bytes.size() + 1, false);
  fuzz::require(whole == frames_of(bytes, body_size_max, slice_size, false),
                "slices give the frames of the whole");
  fuzz::require(whole == frames_of(bytes, body_size_max, slice_size, true),
                "a reader that is stopped at each frame gives them too");
  return 0;
}
