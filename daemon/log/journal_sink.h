// Lines into systemd's journal by its native protocol: one datagram a line, with the level as PRIORITY.
//
// Written by hand and not by libsystemd, which keeps its socket open in secret: the engine's process closes
// every descriptor that it does not know, and the number would come to name something else. This sink opens
// a socket for each line. It never waits: what the journal does not take at once is counted, and the count
// goes with the next line as PQD_LINES_LOST. Any thread.
#pragma once

#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <mutex>
#include <string>

namespace pqd {

class JournalSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  static constexpr const char* kSocket = "/run/systemd/journal/socket";

  explicit JournalSink(std::string socket = kSocket) : socket_(std::move(socket)) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

 private:
  const std::string socket_;
  uint64_t lost_ = 0;
};

}  // namespace pqd
