// The upstream answers HTTP/1.1 with the name of its variant, and does nothing else: it should cost next to nothing.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"runtime"
	"syscall"
)

// Room for the largest request head that a benchmark sends.
const maxHeadBytes = 16 * 1_024

var headEnd = []byte("\r\n\r\n")

func main() {
	variants := []string{"stable", "canary"}
	threads := flag.Int("threads", 1, "")
	flag.Parse()
	runtime.GOMAXPROCS(*threads)
	addresses := make(map[string]string)
	for _, variant := range variants {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			log.Fatal(err)
		}
		addresses[variant] = listener.Addr().String()
		go serve(listener, variant)
	}
	line, err := json.Marshal(addresses)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
}

func serve(listener net.Listener, variant string) {
	body := fmt.Sprintf("{\"variant\":%q}", variant)
	answer := []byte(fmt.Sprintf("HTTP/1.1 200 OK\r\nx-variant: %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s",
		variant, len(body), body))
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go answerAll(connection, answer)
	}
}

// answerAll answers each head that ends; requests of the benchmark have no body.
func answerAll(connection net.Conn, answer []byte) {
	defer connection.Close()
	buffer, filled := make([]byte, maxHeadBytes), 0
	for {
		read, err := connection.Read(buffer[filled:])
		if err != nil {
			return
		}
		filled += read
		for {
			end := bytes.Index(buffer[:filled], headEnd)
			if end == -1 {
				break
			}
			filled = copy(buffer, buffer[end+len(headEnd):filled])
			if _, err := connection.Write(answer); err != nil {
				return
			}
		}
		if filled == len(buffer) {
			return
		}
	}
}
