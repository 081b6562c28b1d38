// Configurations that have to be good, or bad, and a file to hold one.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "daemon/config/config.h"

namespace pqd {

inline std::string joined(const ConfigFaults& faults) {
  std::string text;
  for (const std::string& fault : faults) text += fault + "\n";
  return text;
}

inline Config good(const std::string& text, const std::vector<std::string>& environment = {}) {
  const auto config = parse_config(text, "f", environment);
  EXPECT_TRUE(config.has_value()) << joined(config.error());
  return config.value_or(Config());
}

// The faults, a line each.
inline std::string bad(const std::string& text, const std::vector<std::string>& environment = {}) {
  const auto config = parse_config(text, "f", environment);
  EXPECT_FALSE(config.has_value()) << text;
  return config ? "" : joined(config.error());
}

class TempFile {
 public:
  explicit TempFile(const std::string& text) {
    ::close(::mkstemp(path_.data()));
    std::ofstream(path_) << text;
  }
  ~TempFile() { ::unlink(path_.c_str()); }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/pqd-config-XXXXXX";
};

}  // namespace pqd
