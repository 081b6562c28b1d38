#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "tests/bench/transport.h"

namespace pqd::bench {

std::vector<TransportKind> peer_transports() {
  std::vector<TransportKind> kinds{
      {"Boost message_queue", "1024 messages; one message a record, it has no batches", make_boost_queue},
      {"POSIX mq", "as many messages as this user may; one a record, it has no batches", make_posix_queue},
      {"Unix SEQPACKET", "a batch is one sendmmsg, the reader takes up to 64 by recvmmsg", make_seqpacket},
      {"pipe", "1 MiB; a batch is one write, the reader takes up to 64 records a read", make_pipe},
  };
#ifdef PQD_BENCH_ZEROMQ
  kinds.push_back({"ZeroMQ ipc", "PUSH to PULL, high water mark 100 k; it batches by itself", make_zeromq});
#endif
#ifdef PQD_BENCH_ICEORYX
  kinds.push_back({"iceoryx",
                   "one publisher, one subscriber that polls, a full queue of 256 blocks; no batches",
                   make_iceoryx});
#endif
  return kinds;
}

void throw_errno(const char* what) {
  throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
}

}  // namespace pqd::bench
