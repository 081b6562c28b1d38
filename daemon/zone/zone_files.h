// The system's time zones, read from its files when they are asked for, and again when a file has changed.
// No network, no environment. One thread; what find() returns may be used by any.
#pragma once

#include <map>
#include <string>

#include "core/zone_rules.h"

namespace pqd {

inline constexpr const char* kZoneDirectory = "/usr/share/zoneinfo";

class ZoneFiles final : public ZoneSource {
 public:
  explicit ZoneFiles(std::string directory = kZoneDirectory) : directory_(std::move(directory)) {}

  // "UTC" needs no file.
  std::shared_ptr<const ZoneRules> find(std::string_view name) override;

 private:
  struct Known {
    int64_t changed_ns = 0;
    int64_t bytes = 0;
    std::shared_ptr<const ZoneRules> rules;
  };

  std::string directory_;
  std::map<std::string, Known, std::less<>> known_;
};

}  // namespace pqd
