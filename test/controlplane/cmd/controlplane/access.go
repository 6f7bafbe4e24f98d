package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// A user is somebody with a token, and the kubeconfig that holds it.
type user struct{ name, groups, file string }

// users holds everybody who may log in. The components have the names to which
// the API server's own bootstrap policy binds their rights.
var users = []user{
	{"admin", "system:masters", "kubeconfig"},
	{"viewer", "", "kubeconfig-plain"},
	{"auditor", "", "kubeconfig-auditor"},
	{"system:kube-controller-manager", "", "kube-controller-manager.kubeconfig"},
	{"system:kube-scheduler", "", "kube-scheduler.kubeconfig"},
	{"kwok", "system:masters", "kubelet.kubeconfig"},
}

// writeAccess writes certificates, tokens and kubeconfigs for a server at the address.
func (p *plane) writeAccess(address string) error {
	// The file holds the certificate and the CA that signed it.
	crt, key, err := cert.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.IPv4(127, 0, 0, 1)}, []string{"localhost"})
	if err != nil {
		return fmt.Errorf("make the serving certificate: %w", err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return fmt.Errorf("make the service account key: %w", err)
	}
	accountKey, err := keyutil.MarshalPrivateKeyToPEM(rsaKey)
	if err != nil {
		return err
	}
	var tokens strings.Builder
	for _, u := range users {
		secret := make([]byte, 16)
		if _, err := rand.Read(secret); err != nil {
			return err
		}
		token := hex.EncodeToString(secret)
		fmt.Fprintf(&tokens, "%s,%s,%s,%q\n", token, u.name, u.name, u.groups)
		if err := p.writeKubeconfig(u, address, token, crt); err != nil {
			return err
		}
	}
	for name, data := range map[string][]byte{
		"serving.crt":         crt,
		"serving.key":         key,
		"service-account.key": accountKey,
		"tokens.csv":          []byte(tokens.String()),
	} {
		if err := os.WriteFile(p.path(name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (p *plane) writeKubeconfig(u user, address, token string, ca []byte) error {
	config := clientcmdapi.NewConfig()
	config.Clusters["controlplane"] = &clientcmdapi.Cluster{Server: "https://" + address, CertificateAuthorityData: ca}
	config.AuthInfos[u.name] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts["controlplane"] = &clientcmdapi.Context{Cluster: "controlplane", AuthInfo: u.name}
	config.CurrentContext = "controlplane"
	return clientcmd.WriteToFile(*config, p.path(u.file))
}
