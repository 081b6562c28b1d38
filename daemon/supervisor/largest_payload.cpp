#include "daemon/supervisor/largest_payload.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>

#include "core/limits.h"
#include "daemon/supervisor/state_file.h"
#include "shm/unique_fd.h"

namespace pqd {
namespace {

constexpr std::string_view kFileName = "largest_payload";

// Nothing when it is damaged.
std::optional<uint32_t> number_in(int fd) {
  std::array<char, 16> text{};
  const ssize_t bytes = ::read(fd, text.data(), text.size());
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + std::max<ssize_t>(bytes, 0), number);
  const bool whole = bytes > 0 && error == std::errc() && end == text.data() + bytes - 1 && *end == '\n';
  return whole && number > 0 && number <= limits::kPayloadBytesMax ? std::optional(number) : std::nullopt;
}

}  // namespace

std::expected<uint32_t, StartFailure> largest_payload(const std::string& state_dir,
                                                      uint32_t max_payload_bytes) {
  const std::string path = state_dir + "/" + std::string(kFileName);
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno != ENOENT) return std::unexpected(path_failure("cannot open", path, errno));
  const auto before = fd ? number_in(fd.get()) : std::optional<uint32_t>(0);
  if (!before)
    return std::unexpected(
        StartFailure{kExitConfig, path + " is damaged: write into it the largest max_payload_bytes that this "
                                         "state was served with, in bytes, then start pqd again"});
  if (*before >= max_payload_bytes) return *before;
  if (auto written = replace_state_file(state_dir, kFileName, std::to_string(max_payload_bytes) + "\n");
      !written)
    return std::unexpected(path_failure("cannot write", path, written.error().number));
  return max_payload_bytes;
}

}  // namespace pqd
