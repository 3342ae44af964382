// The tools that prove what deploy/ ships for Kubernetes, in one binary: the engines of Helm and Kustomize.
// They come from their Go modules, and share what they have in common.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: %s render|kustomize ...", filepath.Base(os.Args[0])))
	}
	verb := os.Args[1]
	os.Args = append([]string{verb}, os.Args[2:]...)
	switch verb {
	case "render":
		render(os.Args[1], os.Args[2], os.Args[3], os.Args[4:])
	case "kustomize":
		kustomize(os.Args[1])
	default:
		fail(fmt.Errorf("unknown: %s", verb))
	}
}

// render prints what `helm template RELEASE CHART --namespace NAMESPACE -f VALUES...` does: the values are held against
// the schema of the chart; templates in the order of their names.
func render(folder, release, namespace string, files []string) {
	loaded, err := loader.Load(folder)
	check(err)
	given := map[string]interface{}{}
	for _, file := range files {
		more, err := chartutil.ReadValuesFile(file)
		check(err)
		given = chartutil.CoalesceTables(more.AsMap(), given)
	}
	options := chartutil.ReleaseOptions{Name: release, Namespace: namespace, Revision: 1, IsInstall: true}
	values, err := chartutil.ToRenderValues(loaded, given, options, chartutil.DefaultCapabilities)
	check(err)
	pages, err := engine.Render(loaded, values)
	check(err)
	for _, template := range loaded.Templates {
		fmt.Printf("---\n# Source: %s\n%s\n", template.Name, pages[loaded.Name()+"/"+template.Name])
	}
}

func kustomize(folder string) {
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), folder)
	check(err)
	text, err := resources.AsYaml()
	check(err)
	fmt.Print(string(text))
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
