package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/component-base/version"
)

type options struct {
	dir       string // absolute after newPlane
	admission string
	nodes     int
}

// A plane is a control plane and the processes it consists of.
type plane struct {
	options
	begun    time.Time
	children []*child
	died     chan string // names of components that ended unasked
}

// A child is one component's process. Its stdin is a pipe that closes with us.
type child struct {
	name    string
	cmd     *exec.Cmd
	stdin   io.Closer
	done    chan struct{}
	stopped bool
}

// auditPolicy records requests of people and their tools; the components'
// would bury them.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ["system:kube-controller-manager", "system:kube-scheduler", "system:apiserver", "kwok"]
- level: None
  userGroups: ["system:serviceaccounts"]
- level: Metadata
`

// controllers leaves out those that need a cloud, a kubelet or storage.
const controllers = "deployment-controller,replicaset-controller,statefulset-controller,daemonset-controller," +
	"job-controller,cronjob-controller,serviceaccount-controller,serviceaccount-token-controller," +
	"root-ca-certificate-publisher-controller,namespace-controller,garbage-collector-controller," +
	"horizontal-pod-autoscaler-controller,disruption-controller,endpointslice-controller," +
	"clusterrole-aggregation-controller,resourcequota-controller,node-lifecycle-controller,pod-garbage-collector-controller"

func newPlane(opts options) (*plane, error) {
	dir, err := filepath.Abs(opts.dir)
	if err != nil {
		return nil, err
	}
	opts.dir = dir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// Data of an earlier run make later installs fail in odd ways.
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	if len(entries) > 0 {
		return nil, fmt.Errorf("%s is not empty", dir)
	}
	return &plane{options: opts, begun: time.Now(), died: make(chan string, len(components))}, nil
}

func (p *plane) path(name string) string { return filepath.Join(p.dir, name) }

func (p *plane) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "controlplane: %4.1fs  %s\n", time.Since(p.begun).Seconds(), fmt.Sprintf(format, args...))
}

// start returns when pods can run, or with an error at the first signal, when
// a component dies, or after the timeout.
func (p *plane) start(timeout time.Duration, signals <-chan os.Signal) error {
	ctx, cancel := context.WithTimeoutCause(context.Background(), timeout, fmt.Errorf("not ready after %v; see %s", timeout, p.path("logs")))
	defer cancel()
	ctx, interrupt := context.WithCancelCause(ctx)
	defer interrupt(nil)
	go func() {
		select {
		case sig := <-signals:
			interrupt(fmt.Errorf("%v while starting", sig))
		case name := <-p.died:
			interrupt(p.deathOf(name))
		case <-ctx.Done():
		}
	}()
	if err := p.bringUp(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return err
	}
	return nil
}

func (p *plane) bringUp(ctx context.Context) error {
	ports, err := freeAddresses(3)
	if err != nil {
		return err
	}
	etcdClient, etcdPeer, server := ports[0], ports[1], ports[2]
	if err := p.writeFiles(server); err != nil {
		return err
	}
	p.say("starting etcd and kube-apiserver %s", version.Get().GitVersion)
	if err := p.spawn("etcd", "--data-dir="+p.path("etcd"), "--client="+etcdClient, "--peer="+etcdPeer); err != nil {
		return err
	}
	if err := p.spawn("kube-apiserver", p.apiserverArgs("http://"+etcdClient, server)...); err != nil {
		return err
	}
	client, err := p.client()
	if err != nil {
		return err
	}
	if err := until(ctx, func() error {
		return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	}); err != nil {
		return fmt.Errorf("wait for kube-apiserver: %w", err)
	}
	p.say("kube-apiserver is ready at https://%s", server)

	if err := p.spawn("kube-controller-manager",
		"--kubeconfig="+p.path("kube-controller-manager.kubeconfig"),
		"--leader-elect=false", "--secure-port=0",
		"--use-service-account-credentials=true",
		"--service-account-private-key-file="+p.path("service-account.key"),
		"--root-ca-file="+p.path("serving.crt"),
		"--horizontal-pod-autoscaler-sync-period=2s",
		// No kubelet renews a lease: without this the nodes would be called dead 50 s after the start, and their pods
		// not ready, for good.
		"--node-monitor-grace-period=24h",
		"--controllers="+controllers); err != nil {
		return err
	}
	if err := p.spawn("kube-scheduler",
		"--kubeconfig="+p.path("kube-scheduler.kubeconfig"),
		"--leader-elect=false", "--secure-port=0"); err != nil {
		return err
	}
	if err := p.spawn("kubelet",
		"--kubeconfig="+p.path("kubelet.kubeconfig"), "--config="+p.path("stages.yaml"),
		"--manage-all-nodes=true", "--node-ip=127.0.0.1", "--cidr=10.244.0.0/16"); err != nil {
		return err
	}
	if err := p.createNodes(ctx, client); err != nil {
		return err
	}
	if err := until(ctx, func() error { return p.canRunPods(ctx, client) }); err != nil {
		return fmt.Errorf("wait for the nodes: %w", err)
	}
	p.say("%d nodes are ready", p.nodes)
	return nil
}

func (p *plane) writeFiles(server string) error {
	if err := os.Mkdir(p.path("logs"), 0o755); err != nil {
		return err
	}
	if err := p.writeAccess(server); err != nil {
		return err
	}
	kwokStages, err := stages()
	if err != nil {
		return err
	}
	if err := os.WriteFile(p.path("stages.yaml"), []byte(kwokStages), 0o600); err != nil {
		return err
	}
	return os.WriteFile(p.path("audit-policy.yaml"), []byte(auditPolicy), 0o600)
}

func (p *plane) apiserverArgs(etcd, address string) []string {
	host, port, _ := net.SplitHostPort(address)
	args := []string{
		"--etcd-servers=" + etcd,
		"--bind-address=" + host, "--advertise-address=" + host, "--secure-port=" + port,
		"--tls-cert-file=" + p.path("serving.crt"), "--tls-private-key-file=" + p.path("serving.key"),
		"--cert-dir=" + p.path("certificates"),
		"--token-auth-file=" + p.path("tokens.csv"),
		"--authorization-mode=Node,RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + p.path("service-account.key"),
		"--service-account-signing-key-file=" + p.path("service-account.key"),
		"--service-cluster-ip-range=10.96.0.0/16",
		"--endpoint-reconciler-type=none",
		"--allow-privileged=true",
		"--audit-log-path=" + p.path("audit.log"), "--audit-policy-file=" + p.path("audit-policy.yaml"),
		// A test reads the log right after the request it is about.
		"--audit-log-mode=blocking",
	}
	if p.admission != "" {
		args = append(args, "--enable-admission-plugins="+p.admission)
	}
	return args
}

func (p *plane) client() (kubernetes.Interface, error) {
	config, err := clientcmd.BuildConfigFromFlags("", p.path("kubeconfig"))
	if err != nil {
		return nil, err
	}
	config.QPS = -1
	config.Timeout = 10 * time.Second
	return kubernetes.NewForConfig(config)
}

func (p *plane) createNodes(ctx context.Context, client kubernetes.Interface) error {
	room := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("32"),
		corev1.ResourceMemory: resource.MustParse("256Gi"),
		corev1.ResourcePods:   resource.MustParse("250"),
	}
	for i := range p.nodes {
		name := fmt.Sprintf("node-%d", i+1)
		_, err := client.CoreV1().Nodes().Create(ctx, &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{
				Name:        name,
				Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"},
				Labels: map[string]string{
					"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
				},
			},
			Status: corev1.NodeStatus{
				Allocatable: room,
				Capacity:    room,
				NodeInfo:    corev1.NodeSystemInfo{KubeletVersion: version.Get().GitVersion},
			},
		}, metav1.CreateOptions{})
		if err != nil {
			return fmt.Errorf("create node %s: %w", name, err)
		}
	}
	return nil
}

// canRunPods returns nil once a pod would be admitted, scheduled and run.
func (p *plane) canRunPods(ctx context.Context, client kubernetes.Interface) error {
	if _, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{}); err != nil {
		return err
	}
	nodes, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, node := range nodes.Items {
		if len(node.Spec.Taints) > 0 || !ready(node) {
			return fmt.Errorf("node %s is not ready", node.Name)
		}
	}
	return nil
}

func ready(node corev1.Node) bool {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}

// spawn starts this binary under the component's name.
func (p *plane) spawn(name string, args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(p.dir, "logs", name+".log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := &exec.Cmd{
		Path: self, Args: append([]string{name}, args...), Dir: p.dir,
		Stdout: log, Stderr: log,
		// Of its own group: a ^C must reach us alone, so that we can stop
		// the components in order.
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true},
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", name, err)
	}
	c := &child{name: name, cmd: cmd, stdin: stdin, done: make(chan struct{})}
	p.children = append(p.children, c)
	go func() {
		_ = cmd.Wait()
		close(c.done)
		p.died <- name
	}()
	return nil
}

// stop ends the components, the last started first: clients before the server.
func (p *plane) stop() {
	for i := len(p.children) - 1; i >= 0; i-- {
		c := p.children[i]
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-c.done:
		case <-time.After(5 * time.Second):
			_ = c.cmd.Process.Kill()
			<-c.done
		}
	}
	p.say("stopped")
}

func (p *plane) deathOf(name string) error {
	file := filepath.Join(p.dir, "logs", name+".log")
	data, _ := os.ReadFile(file)
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	last := bytes.Join(lines[max(0, len(lines)-5):], []byte("\n"))
	return fmt.Errorf("%s ended unasked; the end of %s:\n%s", name, file, strings.TrimSpace(string(last)))
}

// until calls ready ten times a second until it succeeds.
func until(ctx context.Context, ready func() error) error {
	for {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// freeAddresses returns n addresses of 127.0.0.1 on which nobody listens.
func freeAddresses(n int) ([]string, error) {
	var addresses []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		// Open until all are known, so that they differ.
		defer l.Close()
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}
