// Where a run was measured: what its figures depend on besides the code.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace pqd::bench {

// "cpu" -> "AMD EPYC, 2 CPUs" and so on, in an order to print them in. The file system is that of TMPDIR,
// where all that is durable is written.
std::vector<std::pair<std::string, std::string>> describe_machine();

// How long a cache line takes from CPU 0 to CPU 1 and back, nanoseconds; measured in 50 ms. 0 = unknown.
double ns_between_cpus();

// Versions of those of Debian's packages that are installed, "redis-server 5:7.0.15-1~deb12u10".
std::vector<std::string> package_versions(const std::vector<std::string>& packages);
// Of npm's packages below `directory`, "bullmq 5.1.0"; those that are there.
std::vector<std::string> node_versions(const std::string& directory,
                                       const std::vector<std::string>& packages);

}  // namespace pqd::bench
