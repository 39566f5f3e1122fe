// A lineage backend on a loopback port that behaves as badly as it is told to: for each request the
// next of its answers, then 201 for ever.
//
// Threads: the methods may be called from any thread; it serves in one of its own, one connection
// after the other.
//
//   HttpBackend backend({{.status = 503}, {.drop = true}});
//   Post(backend.url());
//   backend.Requests()[0].body
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"

namespace pedigree::cli {

class HttpBackend {
 public:
  struct Answer {
    int status = 201;
    std::map<std::string, std::string> header = {};
    std::string body = {};
    bool drop = false;     // Closes the connection instead of an answer.
    bool cut_off = false;  // Closes it within the answer.
    bool closes = false;   // Closes it after the answer, without having said so.
  };
  struct Request {
    std::string target;
    std::map<std::string, std::string> header;
    std::string body;
  };

  explicit HttpBackend(std::vector<Answer> answers);
  ~HttpBackend();

  int port() const { return port_; }
  std::string url() const { return absl::StrCat("http://127.0.0.1:", port_); }
  std::vector<Request> Requests() const;

 private:
  void Serve();
  // Whether the connection goes on.
  bool ServeOne(boost::asio::ip::tcp::socket& socket);
  Answer NextAnswer();

  boost::asio::io_context context_;
  boost::asio::ip::tcp::acceptor acceptor_;
  int port_ = 0;
  mutable std::mutex mutex_;
  std::deque<Answer> answers_;
  std::vector<Request> requests_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace pedigree::cli
