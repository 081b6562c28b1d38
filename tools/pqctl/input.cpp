#include "tools/pqctl/input.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace pqd::ctl {

Checked<UniqueFd> open_input(const std::string& name) {
  UniqueFd fd(name == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                          : ::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return complain(kExitBadData, "cannot read " + name + ": " + errno_text(errno));
  return fd;
}

Checked<std::string> read_input(const std::string& name, size_t bytes_max) {
  const auto fd = open_input(name);
  if (!fd) return std::unexpected(fd.error());
  std::string text;
  std::array<char, 64 * 1024> buffer;
  for (;;) {
    const ssize_t count = ::read(fd->get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return complain(kExitBadData, "cannot read " + name + ": " + errno_text(errno));
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(count));
    if (text.size() > bytes_max) {
      return complain(Error::kPayloadTooLarge, name + " is over " + std::to_string(bytes_max) +
                                                   " bytes; store it elsewhere and submit a reference");
    }
  }
}

}  // namespace pqd::ctl
